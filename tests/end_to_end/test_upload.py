"""Runs whose files are sent to a folder, and read from there."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from apps import App, Finished
from click.testing import CliRunner
from journals import write_sweep
from ranks import RANK, start_ranks, torchrun_rank

from hydra_callback_kit import JournalNotFoundError, load_run
from hydra_callback_kit.cli.main import main
from hydra_callback_kit.remote.mark import MARK, NOT_WHOLE, mark

CONFIG = """
defaults: [callbacks: [results_aggregator_callback, upload_callback, report_callback]]
x: 0
hydra:
  callbacks:
    upload_callback:
      to: file://${hydra.runtime.cwd}/there/${hydra.job.name}
      delete_local: ${oc.env:DELETES,false}
"""

BODY = """
here = pathlib.Path(HydraConfig.get().runtime.output_dir)
(here / "model.bin").write_bytes(bytes(100_000))
(here / "last.ckpt").touch()
report_metrics({"loss": 1 / (1 + cfg.x)}, step=1)
if cfg.x == 2:
    raise ValueError("not this one")
if cfg.x == 3 and not done.exists():
    done.touch()
    os.kill(os.getpid(), signal.SIGKILL)
return {"accuracy": cfg.x}
"""

PREAMBLE = """
import pathlib
from hydra.core.hydra_config import HydraConfig
from hydra_callback_kit import report_metrics
done = pathlib.Path("done").absolute()
"""


def write(app: App, body: str = BODY, config: str = CONFIG) -> None:
    """Writes the app."""
    app.write(body, config, PREAMBLE)


def there(app: App) -> Path:
    """The one run that was sent."""
    (run,) = (app.directory / "there" / "app").iterdir()
    return run


def names(directory: Path) -> set[str]:
    """The files below a directory, but for the journal's."""
    files = {each.relative_to(directory).as_posix() for each in directory.rglob("*") if each.is_file()}
    return {name for name in files if not name.startswith(".callbacks/")}


def command(app: App, *words: str) -> Finished:
    """A command of ours."""
    done = subprocess.run(
        [sys.executable, "-m", "hydra_callback_kit", *words],
        cwd=app.directory,
        env=app.environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return Finished(done.returncode, done.stdout, done.stderr, app.directory)


def sent(app: App) -> set[str]:
    """What is to be there."""
    return {name for name in names(app.directory / "out") if not name.endswith((".ckpt", ".pkl"))}


def test_a_sweep(launcher: str, app: App) -> None:
    """All of it is there as it lies here, what other callbacks write at the very end included, and is read from there."""
    write(app)
    done = app.sweep(launcher, "x=1,2")
    assert done.code == 1
    assert names(there(app)) == sent(app) >= {"report.html", "results.json", "0/model.bin", "0/.hydra/config.yaml"}
    for name in sent(app):
        assert (there(app) / name).read_bytes() == (done.root / name).read_bytes(), name
    assert re.search(r"Uploaded \d+ files \(.*\) to file:///.*; \d+ left out", done.stdout)
    url = f"file://{there(app)}"
    run = load_run(url)
    assert [job.status for job in run.jobs] == ["COMPLETED", "FAILED"]
    assert [row["value"] for row in run.metrics("loss")] == [0.5, 1 / 3]
    assert all(job.facts["uploaded"]["complete"] for job in run.jobs)
    shown = command(app, "show", url)
    assert f"directory  {url}\n" in shown.stdout
    assert f"directory  {url}/0\n" in command(app, "best", url, "--sort-by", "accuracy").stdout
    assert f"  {url}/1\n" in command(app, "failed", url).stdout


def test_commands_that_take_a_url(app: App) -> None:
    """What they print names it, and what writes into a run's directory wants that."""
    write(app)
    app.sweep("basic", "x=1,4")
    url = f"file://{there(app)}"
    assert json.loads(command(app, "show", "--json", url).stdout)["root"] == url
    assert there(app).name in command(app, "show", url.rpartition("/")[0]).stdout
    assert command(app, "report", url, "-o", "page.html").code == 0
    assert "\n| 4 | **4**" in re.sub(" +", " ", command(app, "table", url, "--rows", "x", "--metric", "accuracy").stdout)
    for words in (["report", url], ["rerun", url], ["sync", url], ["show", "--remake", url], ["show", "nope://x"]):
        refused = command(app, *words)
        assert refused.code == 2, words
        assert "Traceback" not in refused.stderr
    none = command(app, "show", f"{url}/0")
    assert (none.code, "holds no run" in none.stderr) == (1, True)


def test_a_job_that_is_killed(app: App) -> None:
    """The run is not whole as long as nobody has ended it; `rerun` sends the job, and `sync` the rest."""
    write(app)
    app.run("-m", "x=1,3")
    assert "0/model.bin" in names(there(app))
    url = f"file://{there(app)}"
    assert "not whole" in command(app, "show", url).stderr
    once = command(app, "sync", "out", "--to", url.rpartition("/")[0])
    assert once.code == 0, once.stderr
    assert names(there(app)) == sent(app)
    assert [job.status for job in load_run(url).jobs] == ["COMPLETED", "INTERRUPTED"]
    (there(app) / "0" / "model.bin").write_bytes(b"1" * 100_000)
    (there(app) / "1" / "model.bin").write_bytes(b"1")
    again = command(app, "sync", "out", "--to", url.rpartition("/")[0])
    assert re.search(r"files: 2 sent, \d+ there already", again.stdout)
    assert command(app, "rerun", "out", "--execute", "--interrupted").code == 0
    app2 = f"file://{there(app)}"  # one directory still
    assert command(app, "show", "--json", app2).stdout.count('"COMPLETED"') >= 3


def test_what_sync_has_sent_is_on_record(app: App) -> None:
    """The place was away as the run ended: `show` says so, and after `sync` that all is there."""
    write(app)
    (app.directory / "there").touch()
    assert app.run("x=1").code == 0
    assert "not all of it, to " in command(app, "show", "out").stdout
    (app.directory / "there").unlink()
    to = f"file://{app.directory}/there/app"
    for _ in range(2):
        assert command(app, "sync", "out", "--to", to).code == 0
    assert re.search(rf"uploaded +\d+ files to {to}", command(app, "show", "out").stdout)
    assert len(list((app.directory / "out" / ".callbacks").glob("*.jsonl"))) == 2
    for place in (app.directory / "out", f"file://{there(app)}"):
        fact = load_run(place).facts["uploaded"]
        assert (fact["complete"], fact["exclude"]) == (True, ["*.ckpt"])


def test_half_a_copy_is_told_alike(tmp_path: Path) -> None:
    """Whether it is named by its directory or by a URL, and also where a part of its journal is there."""
    root = tmp_path / "half"
    write_sweep(root)
    assert load_run(root).status == "FAILED"
    (root / MARK).write_bytes(mark(is_whole=False))
    said = []
    for path in (str(root), root.as_uri()):
        with pytest.raises(JournalNotFoundError, match=r"holds a run that is not whole: .* sends what is missing"):
            load_run(path)
        for words in (["show"], ["best"], ["failed"], ["report"], ["show", "--failed"]):
            done = CliRunner().invoke(main, [*words, path])
            assert done.exit_code == 1, done.output
            said.append(done.output.replace(path, "PATH"))
    assert set(said) == {f"Error: PATH {NOT_WHOLE}\n"}
    (root / MARK).write_bytes(mark(is_whole=True))
    assert load_run(root).jobs[0].status == "COMPLETED"
    assert CliRunner().invoke(main, ["show", str(root)]).exit_code == 0


def test_what_is_deleted_here(app: App) -> None:
    """What is there of completed jobs; not the journal, `.hydra`, logs and points, and nothing of a failed job."""
    write(app)
    done = app.run("-m", "x=1,2", DELETES="true")
    assert names(done.root / "0") == {
        ".hydra/config.yaml",
        ".hydra/hydra.yaml",
        ".hydra/overrides.yaml",
        "app.log",
        "metrics.jsonl",
        "last.ckpt",
    }
    assert {"model.bin", "app.log"} <= names(done.root / "1")
    assert (there(app) / "0" / "model.bin").stat().st_size == 100_000
    assert (done.root / "report.html").exists()
    sent = sum(file.is_file() for file in there(app).rglob("*") if ".callbacks" not in file.parts)
    assert f"  uploaded   {sent} files to " in command(app, "show", "out").stdout


def test_what_sums_up_a_single_run_is_not_deleted_here(app: App) -> None:
    """Its directory is its job's as well; the log has just said where the files are."""
    write(app, config=CONFIG.replace("upload_callback, ", "upload_callback, provenance_callback, performance_callback, "))
    done = app.run("x=1", DELETES="true")
    assert done.code == 0, done.stderr
    assert {"results.json", "report.html", "performance.json", "provenance.json"} <= names(done.root)
    assert "model.bin" not in names(done.root)


@pytest.mark.parametrize("launcher", ["basic", "submitit_local"])
def test_what_callbacks_have_written_is_not_deleted_here(app: App, launcher: str) -> None:
    """Whatever it is called: the job's output is written on, and commands and the report lead there; nor are logs."""
    config = CONFIG.replace("upload_callback, ", "upload_callback, output_capture_callback, resource_monitor_callback, ")
    write(app, "print('said')\n" + BODY, config)
    named = ("output_capture_callback.file=said.txt", "resource_monitor_callback.output_file=usage.csv")
    log_file = "hydra.job_logging.handlers.file.filename=${hydra.runtime.output_dir}/log.txt"
    done = app.sweep(launcher, "x=1,4", *(f"hydra.callbacks.{each}" for each in named), log_file, DELETES="true")
    assert done.code == 0, done.stderr
    for job in ("0", "1"):
        left = names(done.root / job)
        assert {"said.txt", "usage.csv", "log.txt"} <= left
        assert "model.bin" not in left


@pytest.mark.parametrize("mode", ["run", "sweep that is sent at its end"])
def test_what_is_there_for_people_is_not_deleted_here(app: App, mode: str) -> None:
    """What the log has just announced, the profiles that the report links to, and what TensorBoard looks at."""
    others = "profiler_callback, provenance_callback, performance_callback, tensorboard_callback"
    config = CONFIG.replace("upload_callback, ", f"upload_callback, {others}, ")
    events = "hydra.callbacks.tensorboard_callback.directory=events"
    write(app, "pathlib.Path('there').is_file() and pathlib.Path('there').unlink()\n" + BODY, config)
    if mode == "run":
        done = app.run("x=1", events, DELETES="true")
    else:  # the place is away until the jobs have started, and none of them tries it
        (app.directory / "there").touch()
        done = app.run("-m", "x=1,4", events, DELETES="true")
    assert done.code == 0, done.stderr
    job = done.root if mode == "run" else done.root / "0"
    left = names(job)
    assert "model.bin" not in left
    assert {"profile.html", "profile.txt", "app.log", "metrics.jsonl"} <= left
    assert any(name.startswith("events/") for name in left)
    assert {"report.html", "results.json", "performance.json", "provenance.json"} <= names(done.root)


@pytest.mark.parametrize(
    ("to", "says"),
    [
        ("out/copies", "lies in the run's own directory"),
        ("linked/copies", "lies in the run's own directory"),
        ("file://${hydra.runtime.cwd}/linked/copies", "lies in the run's own directory"),
        ("file:///dev/null/x", "The upload failed at the start of the run"),
        ("'file://me:hunter-two@host/x'", ""),
    ],
)
def test_places_that_cannot_be_written_to(app: App, to: str, says: str) -> None:
    """One warning, and the exit code is the app's."""
    write(app)
    (app.directory / "linked").symlink_to("out")
    done = app.run(f"hydra.callbacks.upload_callback.to={to}")
    assert done.code == 0
    assert done.stdout.count("Warning: ") == bool(says)
    assert says in done.stdout
    assert "hunter-two" not in done.stdout + done.stderr + "".join(
        file.read_text("utf-8") for file in (done.root / ".callbacks").iterdir()
    )
    if "own directory" in says:
        assert not (done.root / "copies").exists()
        assert "For a folder type ./copies." in command(app, "sync", "out", "--to", "copies").stderr
        refused = command(app, "sync", "out", "--to", "./linked/copies")
        assert refused.code == 2
        assert says in refused.stderr


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("to=null", "Write for example to='s3://bucket/"),
        ("to=nope3://x", "nothing knows nope3://"),
        ("to=s33://me:hunter-two@x", "Write s3://..."),
        ("to=gs://bucket", "pip install gcsfs"),
        ("to=s3:/bucket/runs", "With two slashes it is one: s3://..."),
        ("exclude=[../x]", "a list of globs"),
        ("timeout_s=0", "a number of seconds above 0"),
    ],
)
def test_what_is_refused(app: App, given: str, says: str) -> None:
    """Before anything starts, and without what is secret."""
    write(app)
    done = app.run(f"hydra.callbacks.upload_callback.{given}")
    assert done.code != 0
    assert says in done.stderr
    assert "hunter-two" not in done.stderr
    assert not (done.root / "model.bin").exists()


def test_ranks(app: App) -> None:
    """Rank 0 sends, what another rank has left in the same directory by then as well, and each file once."""
    body = "meet('in')\n(pathlib.Path(HydraConfig.get().runtime.output_dir) / f'rank{rank()}').touch()\nmeet('out')"
    app.write(body, CONFIG, PREAMBLE + RANK)
    done = start_ranks(app, [torchrun_rank(number, 2) for number in range(2)])
    assert [each.code for each in done] == [0, 0]
    assert {"rank0", "rank1"} <= names(there(app))
    assert sum(each.stdout.count("Uploaded") for each in done) == 1


@pytest.mark.parametrize("away", [False, True])
def test_what_an_earlier_attempt_has_left_is_not_there_under_a_job_that_completed(app: App, away: bool) -> None:
    """The second attempt does worse than another job, and `keep_best_callback` deletes its file: no other stands for it."""
    body = """
    here = pathlib.Path(HydraConfig.get().runtime.output_dir)
    (here / "ck").mkdir(exist_ok=True)
    (here / "ck" / "model.ckpt").write_text(f"{cfg.x}")
    there, elsewhere = done.with_name("there"), done.with_name("elsewhere")
    first = done.with_name(f"first{cfg.x}")
    if cfg.x < 2 and not first.exists():
        first.touch()
        raise OSError("once")
    if cfg.x == 1 and os.environ.get("AWAY"):
        there.rename(elsewhere)
        there.touch()
    if cfg.x == 0 and elsewhere.exists():
        there.unlink()
        elsewhere.rename(there)
    return {"accuracy": cfg.x}
    """
    config = CONFIG.replace("upload_callback, report_callback", "retry_callback, keep_best_callback, upload_callback")
    config += "      exclude: []\n    keep_best_callback: {metric: accuracy, keep: 1, what: ['**/*.ckpt']}\n"
    write(app, body, config)
    done = app.run("-m", "x=2,1,0", **({"AWAY": "1"} if away else {}))
    assert done.code == 0, done.stderr
    assert done.stdout.count("The upload failed at the end of job 1") == away
    assert {"0/ck/model.ckpt"} == {name for name in names(there(app)) if name.endswith(".ckpt")}
    assert [job.attempts for job in load_run(f"file://{there(app)}").jobs] == [1, 2, 2]


def test_nothing_is_sent_of_a_run_that_is_refused(app: App) -> None:
    """Neither where nothing starts, nor where a callback that comes after this one refuses it."""
    config = CONFIG.replace("report_callback", "validation_callback, keep_best_callback")
    config += "    validation_callback: {json_schema: {properties: {x: {type: number}}}}\n"
    write(app, config=config + "    keep_best_callback: {metric: '${oc.env:METRIC,accuracy}'}\n")
    refused = app.run("-m", "x=1,nine"), app.run("x=nine"), app.run("-m", "x=1,4", METRIC="what")
    assert [each.code for each in refused] == [1, 1, 1]
    assert "Nothing was started: the name 'what'" in refused[2].stderr
    assert not list(app.directory.glob("there/app/*"))
    done = app.run("-m", "x=1,4")
    assert done.code == 0, done.stderr
    assert "0/model.bin" in names(there(app))


def test_the_best_job_whose_files_are_there_alone(app: App) -> None:
    """`keep_best_callback` finds nothing to delete, which is no mistake, and `best` says where the files are."""
    config = CONFIG.replace("upload_callback, report_callback", "upload_callback, keep_best_callback")
    config += "      exclude: []\n    keep_best_callback: {metric: accuracy, keep: 1, what: ['*.ckpt']}\n"
    write(app, config=config)
    done = app.run("-m", "x=1,4", DELETES="true")
    assert "no file of the worse jobs matches" not in done.stdout
    assert "upload_callback has sent what jobs left" in done.stdout
    assert "last.ckpt" in names(there(app) / "1")
    copy = rf"^  copy +file://{there(app)}/1 \([0-9]+ files of it deleted here\)$"
    assert re.search(copy, command(app, "best", "out", "--sort-by", "accuracy").stdout, re.MULTILINE)


def test_the_end_says_what_is_not_there(app: App) -> None:
    """A warning where it went wrong, and as the last line how many files there are to be sent, and the command."""
    write(app)
    (app.directory / "there").touch()
    done = app.run("-m", "x=1,4")
    assert done.code == 0, done.stderr
    last = re.search(r"Not uploaded: (\d+) files. They are here. To send them, type: (hydra-callback-kit .*)$", done.stdout)
    assert last is not None, done.stdout
    assert done.stdout.count("The upload failed") == 1
    assert int(last[1]) == len(sent(app))
    (app.directory / "there").unlink()
    assert command(app, *last[2].split()[1:]).code == 0
    assert names(there(app)) == sent(app)


IN_SUBMITIT = ("hydra/launcher=submitit_local", "hydra.launcher.timeout_min=5", "hydra.launcher.tasks_per_node=2")


@pytest.mark.parametrize("away", [False, True])
def test_what_ranks_have_left_is_deleted_here_as_a_whole(app: App, away: bool) -> None:
    """Once all have ended, rank 0's files as well as those that rank 1 writes later; or none, if one is not there."""
    body = """
    here, number = pathlib.Path(HydraConfig.get().runtime.output_dir), JobEnvironment().global_rank
    while number == 1 and not list(here.parents[1].glob(f"there/app/*/{here.name}/rank0.bin")):
        time.sleep(0.01)
    (here / f"rank{number}.bin").write_bytes(bytes(1000))
    if number == 1 and os.environ.get("AWAY"):
        (here / "rank2.bin").write_bytes(bytes(1000))
        next(here.parents[1].glob(f"there/app/*/{here.name}")).joinpath("rank2.bin").mkdir()
    """
    config = CONFIG.replace(", report_callback", "")
    write(app, body, config.replace("delete_local", "exclude: []\n      delete_local"))
    (app.directory / "app.py").write_text("from submitit import JobEnvironment\n" + (app.directory / "app.py").read_text())
    done = app.run("-m", *IN_SUBMITIT, "x=1", DELETES="true", **({"AWAY": "1"} if away else {}))
    left = {name for name in names(done.root / "0") if name.startswith("rank")}
    assert left == ({"rank0.bin", "rank1.bin", "rank2.bin"} if away else set())
    assert {"0/rank0.bin", "0/rank1.bin"} <= names(there(app))
    says = "Nothing that job 0 left is deleted here: not all that they have left is verified there."
    assert done.stdout.count(says) == away


def test_ctrl_c_sends_what_there_is(app: App) -> None:
    """The sweep's end is done, and the run is whole there."""
    write(app, "print('in job', cfg.x, flush=True)\nif cfg.x == 2: time.sleep(60)")
    done = app.run_and_interrupt("-m", "x=1,2,3", at=["in job 2"])
    assert "Uploaded" in done.stdout
    assert [job.status for job in load_run(f"file://{there(app)}").jobs] == ["COMPLETED", "INTERRUPTED"]


def test_a_sweep_that_is_resumed_goes_on_in_the_same_place(app: App) -> None:
    """What was sent stays, and is sent once, also where the place has the time of its start in its name."""
    config = CONFIG.replace("report_callback", "report_callback, resume_callback")
    write(app, config=config.replace("there/${hydra.job.name}", "there/app${now:%f}"))
    app.run("-m", "x=1,3,5")
    resumed = app.run("-m", "x=1,3,5")
    (place,) = (app.directory / "there").iterdir()
    place.rename(app.directory / "there" / "app")
    assert "Uploaded" in resumed.stdout, resumed.stderr
    assert {"0/model.bin", "1/model.bin", "2/model.bin"} <= names(there(app))
    assert load_run(f"file://{there(app)}").count("COMPLETED") == 3
