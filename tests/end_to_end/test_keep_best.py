"""End to end: of a sweep's jobs only the best keep their checkpoints, under every launcher."""

import os

import pytest
from apps import App, Finished
from terminal import cli

from hydra_callback_kit.journal.reader import read_run, read_runs
from hydra_callback_kit.views.kept_best import Deleted, deleted_in

CONFIG = """
defaults:
  - callbacks: [logging_callback, keep_best_callback]
  - _self_
x: 0
hydra:
  callbacks:
    keep_best_callback: {metric: accuracy, keep: 2}
"""
BODY = """
from pathlib import Path
from hydra.core.hydra_config import HydraConfig
out = Path(HydraConfig.get().runtime.output_dir)
(out / "checkpoints").mkdir(exist_ok=True)
for name in ("last.ckpt", "checkpoints/1.ckpt", "notes.txt"):
    (out / name).write_bytes(bytes(1000))
if cfg.x == 3:
    raise ValueError("boom")
if cfg.x == 5:
    return None
accuracy = float("nan") if cfg.x == 4 else [0.5, 0.9, 0.9, 0, 0, 0, 0, 0.7][cfg.x]
return {"accuracy": accuracy, "told": {"accuracy": "good"}, "steps": 7}
"""
JOBS = "x=0,1,2,3,4,5"
ONLY = "hydra.callbacks.keep_best_callback"


def left(done: Finished, name: str = "last.ckpt") -> list[int]:
    """The jobs that still have a file."""
    return sorted(int(job.name) for job in done.root.iterdir() if (job / name).exists())


def test_only_the_best_keep_their_checkpoints(app: App, launcher: str) -> None:
    """Of equals the earlier; NaN is among the worse, who failed or has no such metric keeps its own; all is on record."""
    app.write(BODY, CONFIG)
    at_once = ["hydra.launcher.n_jobs=3"] if launcher == "joblib" else []
    done = app.sweep(launcher, JOBS, *at_once)
    assert done.code == 1
    assert left(done) == [1, 2, 3, 5]
    assert left(done, "notes.txt") == left(done, "checkpoints/1.ckpt") == list(range(6))
    run = read_run(done.root)
    assert deleted_in(run.facts) == dict.fromkeys((0, 4), Deleted(1, 1000))
    assert "Best by accuracy (max): jobs 1 (0.9), 2 (0.9)" in done.stdout
    assert "Deleted: 2 files (2 KiB) of jobs 0, 4" in done.stdout
    assert os.readlink(app.directory / "best") == "out/1"  # noqa: PTH115  as written
    assert "deleted    2 files (2 KiB) of 2 jobs" in cli("show", done.root).out
    assert "best by    accuracy (max)" in cli("best", done.root).out  # nobody has to say it twice


def test_all_of_it_is_without_the_logs_and_what_others_wrote(app: App) -> None:
    """`**` leaves the log, `.hydra`, the links' targets, directories of other runs and what our callbacks wrote."""
    body = """
    import hydra_callback_kit
    hydra_callback_kit.report_metrics({"loss": cfg.x})
    out = Path(HydraConfig.get().runtime.output_dir)
    (out / "inner" / ".hydra").mkdir(parents=True)
    (out / "inner" / "model.ckpt").touch()
    (out / "linked").symlink_to("../../elsewhere")
    (out / "data.bin").symlink_to("../../elsewhere/kept.ckpt")
    """
    before, _, after = BODY.partition("out = Path(HydraConfig.get().runtime.output_dir)")
    config = CONFIG.replace("keep_best_callback]", "keep_best_callback, resource_monitor_callback, output_capture_callback]")
    app.write(before + "\n".join(line.strip() for line in body.splitlines()) + after, config)
    elsewhere = app.directory / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept.ckpt").touch()
    monitored = "hydra.callbacks.resource_monitor_callback.output_file=usage.csv"
    captured = "hydra.callbacks.output_capture_callback.file=logs/said.txt"
    done = app.sweep("basic", "x=0,1,2", f"{ONLY}.what=['**']", f"{ONLY}.metric=loss", monitored, captured)
    assert done.code == 0, done.stderr
    assert (elsewhere / "kept.ckpt").exists()
    worst = {path.relative_to(done.root / "2").as_posix() for path in (done.root / "2").rglob("*") if path.is_file()}
    hydras = {f".hydra/{name}.yaml" for name in ("config", "hydra", "overrides")}
    assert worst == {*hydras, "app.log", "metrics.jsonl", "usage.csv", "logs/said.txt", "inner/model.ckpt"}
    assert not (done.root / "2" / "linked").is_symlink()
    assert "Only the 2 jobs with the smallest loss keep **" in done.stdout


def test_a_dry_run_deletes_nothing_and_says_what_it_would(app: App) -> None:
    """At the end of the sweep, and there is no fact of it."""
    app.write(BODY, CONFIG)
    done = app.sweep("basic", JOBS, f"{ONLY}.dry_run=true")
    assert left(done) == list(range(6))
    assert "dry_run: nothing is deleted. It would be: 2 files (2 KiB) of jobs 0, 4" in done.stdout
    assert not deleted_in(read_run(done.root).facts)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        (f"{ONLY}.metric=val_accuracy", "No completed job has a metric 'val_accuracy'. Did you mean accuracy?"),
        (f"{ONLY}.metric=told.accuracy", "'good' is not a number that jobs can be judged by."),
        (f"{ONLY}.what=[1.ckpt]", "In their subdirectories are 2 files (2 KiB): write what=['**/1.ckpt']."),
        (f"{ONLY}.keep=9", "Best by accuracy (max): jobs 1 (0.9), 2 (0.9)"),
        ("hydra.sweep.subdir=same", "Best by accuracy (max): jobs 1 (0.9), 2 (0.9)"),
    ],
)
def test_where_nothing_can_be_deleted_nothing_is(app: App, setting: str, said: str) -> None:
    """An unknown metric, a glob that matches nothing, fewer jobs than are kept, jobs that share a directory."""
    app.write(BODY, CONFIG)
    done = app.sweep("basic", JOBS, setting)
    assert said in done.stdout
    kept = sorted(path.parent.name for path in done.root.glob("*/last.ckpt"))
    assert kept == (["same"] if "same" in setting else list("012345"))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            ["++hydra.callbacks.another={_target_: hydra_callback_kit.KeepBestCallback, metric: loss}"],
            "(by accuracy, by loss)",
        ),
        ([f"{ONLY}.metric=quality"], "Write mode=max or mode=min"),
        ([f"{ONLY}.metric=return_value"], "Write mode=max or mode=min"),
    ],
)
def test_no_sweep_starts_where_it_could_delete_the_best(app: App, settings: list[str], said: str) -> None:
    """Two that judge by different metrics; a name that does not say what is good, where the sweeper does not either."""
    app.write(BODY, CONFIG)
    done = app.sweep("basic", JOBS, *settings)
    assert (done.code, said in done.stderr) == (1, True)
    assert "Launching" not in done.stdout
    assert app.run(*settings, "x=1", "hydra.run.dir=single").code == 0


def test_what_cannot_be_deleted_is_said_twice_at_most(app: App) -> None:
    """As it happens, and at the end of the sweep; the rest goes."""
    refuses = """
import os
really = os.unlink
def unlink(name, **more):
    if name == "last.ckpt":
        raise PermissionError(13, "Permission denied", name)
    return really(name, **more)
os.unlink = unlink
os.supports_dir_fd.add(unlink)
"""
    app.write(BODY, CONFIG, refuses)
    done = app.sweep("basic", "x=0,1,7,4,4,4", f"{ONLY}.what=['*.ckpt','notes.txt']", f"{ONLY}.keep=1")
    assert left(done, "notes.txt") == [1]
    assert [done.stdout.count(f"Not all that job {job} has left could be deleted") for job in (0, 2, 3)] == [2, 2, 2]


def test_what_was_deleted_is_on_record_where_the_process_is_killed_meanwhile(app: App) -> None:
    """In steps, before the end of it."""
    kills = """
import os, signal
from hydra_callback_kit.hooks import deleting, keeping
deleting._ASKED_EVERY_S = keeping._RECORDED_EVERY_S = -1
really = os.unlink
def unlink(name, **more):
    if name == "1.ckpt":
        os.kill(os.getpid(), signal.SIGKILL)
    return really(name, **more)
os.unlink = unlink
"""
    app.write(BODY, CONFIG, kills)
    done = app.sweep("basic", "x=0,1", f"{ONLY}.what=['**']", f"{ONLY}.keep=1")
    assert (done.code, left(done, "checkpoints/1.ckpt")) == (-9, [0, 1])
    assert deleted_in(read_run(done.root).facts) == {0: Deleted(2, 2000)}


def test_nothing_is_deleted_beside_another_run(app: App) -> None:
    """Its files may be among them; it is said before the first job, once."""
    app.write(BODY, CONFIG)
    app.run("-m", "x=0,1", "~hydra.callbacks.keep_best_callback")
    done = app.sweep("basic", JOBS)
    assert left(done) == list(range(6))
    assert done.stdout.count("Nothing is deleted") == 1
    assert done.stdout.index("holds another run as well") < done.stdout.index("Launching")


def test_a_run_that_never_had_a_job_keeps_nothing(app: App) -> None:
    """A launcher that refused it, say: nothing of it can be among the files."""
    app.write(BODY, CONFIG)
    assert app.run("-m", JOBS, "hydra/launcher=joblib", "hydra.launcher.n_jobs=0").code == 1
    assert [len(run.jobs) for run in read_runs(app.directory / "out")] == [0]
    done = app.sweep("basic", JOBS)
    assert left(done) == [1, 2, 3, 5]
    assert "holds another run" not in done.stdout


def test_a_directory_that_became_a_link_is_left(app: App) -> None:
    """A job that swaps the directory of another for a link leads nobody out."""
    swaps = """
if cfg.x == 2:
    Path("out/0").rename("moved")
    Path("out/0").symlink_to("../moved")
"""
    app.write(BODY.replace("if cfg.x == 3", f"{swaps}\nif cfg.x == 3"), CONFIG)
    done = app.sweep("basic", "x=0,1,2")
    assert (app.directory / "moved" / "last.ckpt").exists()
    assert done.stdout.count("Not all that job 0 left was deleted: the directory 0 is a link.") == 1


def test_a_directory_that_is_another_jobs_by_a_link_is_left(app: App) -> None:
    """The best job writes through a link into the directory of a worse one."""
    body = BODY.replace("[0.5, 0.9, 0.9, 0, 0, 0, 0, 0.7][cfg.x]", "dict(a=0.1, b=0.9, c=0.5)[cfg.n]")
    app.write(
        body.replace("if cfg.x == 3", 'if cfg.n == "a":\n    Path("out/jj/b").symlink_to("a")\nif cfg.x == 3'),
        CONFIG + "n: a",
    )
    done = app.sweep("basic", "n=a,b,c", "hydra.sweep.subdir=jj/${n}", f"{ONLY}.keep=1")
    assert done.code == 0, done.stderr
    assert (done.root / "jj" / "b" / "last.ckpt").exists()
    assert not (done.root / "jj" / "c" / "last.ckpt").exists()
    assert "Not all that job 0 left was deleted: its directory is another job's as well." in done.stdout


def test_what_another_run_has_left_within_is_kept(app: App) -> None:
    """One with a record of its own in a job's directory, and one without this package: its files are older."""
    app.write(BODY, CONFIG)
    single = app.run("x=1", "hydra.run.dir=out/0", "~hydra.callbacks.keep_best_callback")
    assert single.code == 0, single.stderr
    (single.root / "3").mkdir()
    (single.root / "3" / "first.ckpt").touch()
    done = app.sweep("basic", "x=0,1,2,7", f"{ONLY}.keep=1")
    assert left(done) == [0, 1]
    assert left(done, "first.ckpt") == [3]
    assert "Not all that job 0 left was deleted: the directory 0 is another run's directory as well." in done.stdout
    assert "Not all that job 3 left was deleted: some of it is older than the sweep." in done.stdout


def test_the_logs_and_the_config_of_each_job_are_its_own(app: App) -> None:
    """Whatever they are called: another job deletes around them, with another config."""
    config = """
  output_subdir: meta/conf_${x}
  job_logging:
    handlers:
      file:
        class: __main__.Rotating
        maxBytes: 300
        backupCount: 2
        filename: ${hydra.runtime.output_dir}/${name.${oc.env:KIND,a}}
name: {a: "train${x}.txt"}
"""
    rotating = "import logging.handlers\nclass Rotating(logging.handlers.RotatingFileHandler):\n    pass"
    app.write("for _ in range(9):\n    logging.warning('x' * 90)\n" + BODY, CONFIG + config, rotating)
    done = app.sweep("basic", "x=0,4,1", f"{ONLY}.keep=1", f"{ONLY}.what=['**']")
    assert done.code == 0, done.stderr
    for job, x in ((0, 0), (1, 4)):
        there = {path.relative_to(done.root / str(job)).as_posix() for path in (done.root / str(job)).rglob("*.*")}
        hydras = {f"meta/conf_{x}/{name}.yaml" for name in ("config", "hydra", "overrides")}
        assert there == {f"train{x}.txt", f"train{x}.txt.1", f"train{x}.txt.2", *hydras}


def test_a_job_that_is_run_again_is_judged_anew(app: App) -> None:
    """Who failed and completes as one of the best takes another's place; a single run keeps all."""
    app.write(
        BODY.replace('raise ValueError("boom")', 'return {"accuracy": 1.0} if os.environ.get("MENDED") else 1 / 0'), CONFIG
    )
    done = app.sweep("basic", "x=0,1,2,3")
    assert left(done) == [1, 2, 3]
    assert cli("rerun", done.root, "--execute", cwd=app.directory, MENDED="1").code == 0
    assert left(done) == [1, 3]
    single = app.run("x=0", "hydra.run.dir=single")
    assert single.code == 0
    assert (app.directory / "single" / "last.ckpt").exists()


def test_several_processes_decide_at_the_same_moment(app: App) -> None:
    """Each has its own view of who has ended, and the best two keep theirs."""
    meet = """
started = Path(os.environ["MEET"])
(started / str(cfg.x)).touch()
while len(list(started.iterdir())) < 4:
    time.sleep(0.01)
"""
    app.write(BODY.replace("if cfg.x == 3", f"{meet}\nif cfg.x == 3"), CONFIG)
    meet_in = app.directory / "meet"
    meet_in.mkdir()
    done = app.sweep("joblib", "x=0,7,1,2", "hydra.launcher.n_jobs=4", MEET=str(meet_in))
    assert left(done) == [2, 3]
    assert (app.directory / "best").resolve() == done.root / "2"
