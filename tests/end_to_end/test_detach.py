"""End to end: the command returns, the run goes on without its terminal, and can be followed and ended."""

import contextlib
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from apps import LAUNCHERS, ON_LAUNCHER, App
from click.testing import CliRunner
from terminal import COMMAND, cli, environment

from hydra_callback_kit.cli.main import main
from hydra_callback_kit.journal.process import is_alive, this_process
from hydra_callback_kit.journal.reader import read_run
from hydra_callback_kit.journal.records import RunRecord
from hydra_callback_kit.journal.signalling import descendants

CONFIG = "defaults: [callbacks: [output_guard_callback, latest_run_callback, detach_callback], _self_]\nx: 0"
WAITS = """
print("job", cfg.x, os.isatty(0), sys.stdin.read(), os.getsid(0) == int(os.environ["TEST_SESSION"]), flush=True)
while not os.path.exists(os.environ["TEST_GO"]):
    time.sleep(0.05)
print("done", cfg.x)
if cfg.x == 3:
    sys.exit(3)
return cfg.x
"""
IGNORES = "signal.signal(signal.SIGINT, signal.SIG_IGN)\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
STUBBORN = """
signal.signal(signal.SIGINT, lambda *_: print("not now", flush=True))
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open(f"stubborn{cfg.x}", "w").close()
while True:
    time.sleep(0.05)
"""


def wait_until(holds: Callable[[], object]) -> None:
    """Waits for something that is going to happen."""
    until_s = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < until_s
        time.sleep(0.05)


@pytest.fixture
def ended(app: App) -> Iterator[None]:
    """Ends what a test that fails has left running."""
    yield
    for root in {journal.parent for journal in app.directory.rglob(".callbacks")}:
        subprocess.run([*COMMAND, "stop", str(root), "--after", "0"], capture_output=True, timeout=60, check=False)


def variables(app: App) -> dict[str, str]:
    """What the jobs of `WAITS` are told."""
    return {"TEST_GO": str(app.directory / "go"), "TEST_SESSION": str(os.getsid(0))}


def born_as(pid: int) -> str | None:
    """When a process that this one has started was born, as records have it."""
    return next(each.born for each in descendants([this_process()]) if each.pid == pid)


def go(app: App) -> None:
    """Lets the jobs of `WAITS` end."""
    (app.directory / "go").touch()


def the_end(root: Path) -> RunRecord:
    """The record of a run once its process is gone."""
    wait_until(lambda: (record := read_run(root)).over and record.process and not is_alive(record.process))
    return read_run(root)


@pytest.mark.usefixtures("ended")
@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_a_sweep_goes_on(app: App, launcher: str) -> None:
    """The command is back while the jobs run; its stdout is the directory; the jobs have no terminal and no input."""
    app.write(WAITS, CONFIG)
    done = app.sweep(launcher, "x=1,2", "hydra.sweep.dir=${now:%H%M%S%f}/of ${hydra.job.name}", **variables(app))
    assert done.code == 0, done.stderr
    root = app.directory / done.stdout.removesuffix("\n")
    typed = [f"  hydra-callback-kit {command} '{done.stdout.strip()}'" for command in ("show --watch", "attach", "stop")]
    assert done.stderr.splitlines()[-3:] == typed
    go(app)
    record = the_end(root)
    assert record.status == "COMPLETED"
    assert [job.return_value for job in record.jobs] == [1, 2]
    assert record.facts["detached"] == {"output": "detached.log"}
    assert [record.facts["overrides"], *(job.task_overrides for job in record.jobs)] == [["x=1,2"], ("x=1",), ("x=2",)]
    assert (app.directory / root.parent.parent / "latest").resolve() == root or (root.parent / "latest").resolve() == root
    assert sorted(path.name for path in root.iterdir() if path.name.isdecimal()) == ["0", "1"]
    assert len(list(app.directory.rglob("multirun.yaml"))) == 1
    printed = (root / "detached.log").read_text()
    if launcher != "submitit_local":
        assert "job 1 False  False\n" in printed
        assert "done 2\n" in printed
    followed = cli("attach", root, cwd=app.directory)
    assert (followed.code, followed.out) == (0, "".join(printed.splitlines(keepends=True)[-20:]))


@pytest.mark.usefixtures("ended")
def test_a_single_run_goes_on_and_attach_has_its_exit_code(app: App) -> None:
    """The output is followed from its last lines to the end, and the exit code is the app's."""
    app.write(WAITS, CONFIG)
    done = app.run("x=3", **variables(app))
    assert (done.code, done.stdout) == (0, "out\n"), done.stderr
    process = subprocess.Popen(
        [*COMMAND, "attach", "out"], cwd=app.directory, env=environment(), stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    wait_until(lambda: "job 3" in process.stdout.readline())
    go(app)
    rest, _ = process.communicate(timeout=60)
    assert "done 3\n" in rest
    assert process.returncode == 3
    assert cli("attach", "out", cwd=app.directory).code == 3


@pytest.mark.usefixtures("ended")
def test_it_outlives_its_terminal(app: App) -> None:
    """The terminal that it was started on closes, as at logout, and whoever is left hears SIGHUP."""
    app.write(WAITS, CONFIG)
    master, slave = pty.openpty()
    process = subprocess.Popen(
        app.command("-m", "x=1,2"),
        cwd=app.directory,
        env=app.environment(**variables(app)),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    assert process.wait(60) == 0
    os.close(master)
    record = read_run(app.directory / "out")
    assert record.process is not None
    os.kill(record.process.pid, signal.SIGHUP)
    go(app)
    assert the_end(app.directory / "out").count("COMPLETED") == 2


@pytest.mark.parametrize(
    ("config", "arguments", "code", "said"),
    [
        ("", ["x=1,2", "x.y=3"], 1, "x.y"),
        ("", ["x=1,9"], 1, "x = 9: must be at most 5"),
        ("", ["x=1", "nothing=2"], 1, "nothing"),
        ("", ["x=1,2", "hydra.callbacks.detach_callback.output_file=a/b"], 1, "without a path"),
        ("", ["x=1,2", "hydra/launcher=joblib", "hydra.launcher.n_jobs=0"], 0, "goes on"),
        ("raise SystemExit(7)", ["x=1,2"], 7, "exit code 7"),
    ],
)
@pytest.mark.usefixtures("ended")
def test_what_is_refused_is_refused_at_once(app: App, config: str, arguments: list[str], code: int, said: str) -> None:
    """By Hydra, by validation, by a parameter, by the app itself: its words, its exit code, and nothing is left running."""
    schema = "hydra: {callbacks: {validation_callback: {json_schema: {properties: {x: {maximum: 5}}}}}}"
    app.write(
        "return 1",
        f"defaults: [callbacks: [detach_callback, validation_callback]]\nx: 0\n{schema}",
        f"if 'HYDRA_CALLBACK_KIT_DETACHED' in os.environ:\n    {config or 'pass'}",
    )
    done = app.run("-m", *arguments)
    assert done.code == code, done.stderr
    assert said in done.stderr
    assert done.stdout.endswith("out\n") == (code == 0)
    if code:
        assert not list(done.root.rglob("detached*"))
        assert not list(done.root.rglob("app.log"))


@pytest.mark.usefixtures("ended")
def test_a_directory_that_is_taken_is_refused(app: App) -> None:
    """The guard is asked in the process that goes on; the run that is there keeps its files."""
    app.write(WAITS, CONFIG)
    assert app.run("-m", "x=1,2", **variables(app)).code == 0
    before = (app.directory / "out" / "detached.log").read_text()
    done = app.run("-m", "x=1,2", **variables(app))
    assert done.code == 1
    assert "already holds" in done.stderr
    assert [path.name for path in (app.directory / "out").rglob("detached*")] == ["detached.log"]
    assert (app.directory / "out" / "detached.log").read_text().startswith(before)
    go(app)
    assert the_end(app.directory / "out").status == "COMPLETED"


@pytest.mark.usefixtures("ended")
def test_what_was_stopped_goes_on_detached_as_well(app: App) -> None:
    """`resume_callback` decides in the process that goes on; each has a file of its own, and `show` names it."""
    callbacks = "resume_callback, compose_once_callback, detach_callback"
    app.write(WAITS, f"defaults: [callbacks: [{callbacks}, device_callback]]\nx: 0")
    devices = ["hydra.callbacks.device_callback.devices=[0,1]", "hydra/launcher=joblib"]
    assert app.run("-m", "x=1,2", *devices, **variables(app)).code == 0
    output = app.directory / "out" / "detached.log"
    wait_until(lambda: re.search("^job [12] ", output.read_text(), re.MULTILINE))
    assert cli("stop", "out", cwd=app.directory).code == 0
    assert app.run("-m", "x=1,2", *devices, **variables(app)).code == 0
    assert "  output     detached-2.log (attach follows it)\n" in cli("show", "out", cwd=app.directory).out
    go(app)
    record = the_end(app.directory / "out")
    assert (record.status, record.count("COMPLETED")) == ("COMPLETED", 2)
    done = app.run("-m", "x=1,2", *devices, **variables(app))
    assert (done.code, "it ended with exit code 0 before it launched a job" in done.stderr) == (0, True)
    assert sorted(path.name for path in (app.directory / "out").glob("*.log")) == ["detached-2.log", "detached.log"]
    attached = cli("attach", "out", cwd=app.directory)
    assert (attached.code, "Nothing was launched" in attached.err) == (0, True)
    assert "output" not in cli("show", "out", cwd=app.directory).out


@pytest.mark.ray
@pytest.mark.in_ci
@pytest.mark.usefixtures("ended")
def test_under_ray(app: App) -> None:
    """Ray starts in the process that goes on, and ends with it."""
    app.write("print('job', cfg.x, flush=True)\nreturn cfg.x", CONFIG)
    assert app.run("-m", *ON_LAUNCHER["ray"], "x=1,2", timeout_s=240).code == 0
    assert cli("attach", "out", cwd=app.directory).code == 0
    assert the_end(app.directory / "out").count("COMPLETED") == 2


@pytest.mark.usefixtures("ended")
def test_a_process_that_leaves_slowly_is_waited_for(app: App) -> None:
    """Its last word is on record before its interpreter has ended; `stop` ends when that has, or says that it goes on."""
    leaves = "atexit.register(lambda: (time.sleep(1), open('left', 'w').close()))"
    app.write(WAITS, CONFIG, f"import atexit\n{leaves}\n")
    assert app.run("x=1", **variables(app)).code == 0
    root = app.directory / "out"
    wait_until(lambda: "job 1" in (root / "detached.log").read_text())
    assert cli("stop", root).code == 0
    assert (app.directory / "left").exists()


@pytest.mark.usefixtures("ended")
def test_ctrl_c_before_it_is_detached_ends_it(app: App) -> None:
    """The process that would go on ends, too, and nothing is left of it."""
    hangs = """
    if 'HYDRA_CALLBACK_KIT_DETACHED' in os.environ:
        print('UP', os.getpid(), file=sys.stderr, flush=True)
        time.sleep(300)
    """
    app.write("pass", CONFIG, hangs)
    process = app.start("-m", "x=1,2")
    assert process.stderr is not None
    pid = int(process.stderr.readline().removeprefix("UP "))
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (130, "Interrupted before it launched a job: nothing runs on.\n")
    wait_until(lambda: not Path(f"/proc/{pid}").exists())
    assert not (app.directory / "out").exists()


@pytest.mark.parametrize(("ignored", "after", "how"), [("", "30", "Interrupted"), (IGNORES, "0.3", "Killed")])
def test_stop_ends_what_is_about_to_start(app: App, ignored: str, after: str, how: str) -> None:
    """Nothing of it is on record yet: the process is known all the same, and the command that waits for it ends as well."""
    up = "open('up', 'w').close()\n    time.sleep(300)"
    app.write("pass", CONFIG, f"{ignored}if 'HYDRA_CALLBACK_KIT_DETACHED' in os.environ:\n    {up}\n")
    process = app.start("-m", "x=1,2")
    wait_until((app.directory / "up").exists)
    stopped = cli("stop", "out", "--after", after, cwd=app.directory)
    assert stopped.code == 0, stopped.err
    assert f"{how}: what was about to start the run" in stopped.out
    assert stopped.out.endswith("What was about to start in out has ended. No run is on record.\n")
    _, said = process.communicate(timeout=60)
    assert "Nothing runs on: it ended with exit code" in said
    assert not (app.directory / "out").exists()


@pytest.mark.usefixtures("ended")
def test_each_way_to_start_an_app(app: App) -> None:
    """As a module, with another config in another directory, and from a script that changes the arguments."""
    app.write("return cfg.x", CONFIG)
    package = app.directory / "pkg"
    package.mkdir()
    source = (app.directory / "app.py").read_text().replace('config_path="."', "config_path=None")
    (package / "__main__.py").write_text(source.replace("import hydra\n", "import hydra\nsys.argv += ['+y=2']\n", 1))
    (app.directory / "configs").mkdir()
    (app.directory / "config.yaml").rename(app.directory / "configs" / "other.yaml")
    words = ["-m", "pkg", "-cn", "other", "--config-dir", "configs", "--multirun", "x=1,2", "hydra.sweep.dir=out"]
    done = subprocess.run(
        [sys.executable, *words],
        cwd=app.directory,
        env=app.environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (0, "out\n"), done.stderr
    record = the_end(app.directory / "out")
    assert [job.task_overrides for job in record.jobs] == [("x=1", "+y=2"), ("x=2", "+y=2")]


def test_two_runs_of_one_process(app: App) -> None:
    """A script that starts a sweep and then another: the command returns at the first, and both go on."""
    app.write("return cfg.x", "defaults: [callbacks: [detach_callback]]\nx: 0")
    source = (app.directory / "app.py").read_text()
    (app.directory / "app.py").write_text(source + "    sys.argv += ['hydra.sweep.dir=out2']\n    main()\n")
    done = app.run("-m", "x=1,2")
    assert (done.code, done.stdout) == (0, "out\n"), done.stderr
    assert cli("attach", "out", cwd=app.directory).code == 0
    assert read_run(app.directory / "out").status == "COMPLETED"
    wait_until(lambda: (app.directory / "out2" / ".callbacks").is_dir() and read_run(app.directory / "out2").over)
    assert read_run(app.directory / "out2").status == "COMPLETED"
    assert " was not detached: its output is where it was started." in cli("attach", "out2", cwd=app.directory).err


def test_inside_of_another_callback_it_does_nothing(app: App) -> None:
    """The others have acted already; a warning says so."""
    wrapped = "/callbacks@hydra.callbacks.conditional_callback.callbacks.d: detach_callback"
    app.write(
        "return cfg.x",
        f"defaults:\n- callbacks: [conditional_callback]\n- {wrapped}\n- _self_\nx: 1\n"
        "hydra: {callbacks: {conditional_callback: {condition_key: x}}}",
    )
    done = app.run("x=1")
    assert done.code == 0, done.stderr
    assert "Not detached: inside of another callback" in done.stdout
    assert not (done.root / "detached.log").exists()


def test_a_dry_run_is_not_detached(app: App) -> None:
    """It shows the jobs in the process that was started."""
    app.write("return 1", CONFIG)
    done = app.run("-m", "x=1,2", "+callbacks=dry_run_callback")
    assert done.code == 0, done.stderr
    assert done.stdout.startswith("2 jobs\n")
    assert not done.root.exists()


@pytest.mark.parametrize(
    ("variables", "why"),
    [
        ({"SLURM_JOB_ID": "7"}, "this is a batch job of Slurm"),
        ({"PBS_JOBID": "7"}, "this is a batch job of PBS"),
        ({"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "here"}, "this is one of 2 ranks"),
        ({"HYDRA_CALLBACK_KIT_JOB": "1 a"}, "a job of another run has started it"),
        ({"HYDRA_CALLBACK_KIT_DETACHED": "[99,1,2]"}, "a job of another run has started it"),
    ],
)
def test_what_cannot_be_detached_keeps_its_terminal(app: App, variables: dict[str, str], why: str) -> None:
    """One warning, and the run is as it would be without the callback."""
    app.write('print("PID", os.getsid(0) == os.getpid())', CONFIG)
    process = subprocess.run(
        app.command("x=1"),
        cwd=app.directory,
        env={**app.environment(), **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        start_new_session=True,
    )
    assert process.returncode == 0, process.stderr
    assert "PID True\n" in process.stdout
    assert f"Warning: Not detached: {why}" in process.stdout
    assert not (app.directory / "out" / "detached.log").exists()


@pytest.mark.parametrize("words", [["-c", "import sys; sys.argv = ['app.py', 'x=1']; import app; app.main()"], ["-"]])
def test_what_no_command_of_its_own_has_started_keeps_its_terminal(app: App, words: list[str]) -> None:
    """A session that calls the app, and a program that was read from a pipe: the same words would start something else."""
    app.write('print("RAN")', CONFIG.replace("output_guard_callback, latest_run_callback, ", ""))
    source = (app.directory / "app.py").read_text().replace('config_path="."', f"config_path={str(app.directory)!r}")
    (app.directory / "app.py").write_text(source)
    process = subprocess.run(
        [sys.executable, *words, *(["x=1"] if words == ["-"] else [])],
        input=source,
        cwd=app.directory,
        env=app.environment(PYTHONPATH=str(app.directory)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    assert "Warning: Not detached: it was started from Python code" in process.stdout
    assert "RAN\n" in process.stdout


@pytest.mark.usefixtures("ended")
@pytest.mark.parametrize("detached", [True, False])
def test_stop_ends_a_sweep_gently(app: App, launcher: str, *, detached: bool) -> None:
    """Whether or not it was detached: jobs are interrupted, those that have completed stay, and it is said."""
    app.write(
        "if cfg.x == 1:\n    return 1\nopen(f'up{cfg.x}', 'w').close()\ntime.sleep(60)",
        "defaults: [callbacks: [logging_callback]]\nx: 0",
    )
    arguments = ["-m", *ON_LAUNCHER[launcher], "x=1,2,3"]
    if detached:
        assert app.run(*arguments, "+callbacks=detach_callback").code == 0
    else:
        process = app.start(*arguments)
    wait_until(lambda: (app.directory / "up2").exists() and (launcher == "basic" or (app.directory / "up3").exists()))
    stopped = cli("stop", "out", cwd=app.directory)
    if not detached:
        process.communicate(timeout=60)
    assert stopped.code == 0, stopped.err
    assert "Interrupted: the run's process" in stopped.out
    assert "Killed" not in stopped.out
    record = read_run(app.directory / "out")
    assert record.status == "INTERRUPTED"
    assert (record.count("COMPLETED"), record.count("INTERRUPTED")) == (1, 1 if launcher == "basic" else 2)
    assert f"is INTERRUPTED: 1 completed, {record.count('INTERRUPTED')} interrupted" in stopped.out
    again = cli("stop", "out", cwd=app.directory)
    assert (again.code, again.out) == (0, f"There is nothing to stop. {stopped.out.splitlines()[-1]}\n")
    attached = cli("attach", "out", cwd=app.directory)
    assert attached.code == (130 if detached else 1)


@pytest.mark.usefixtures("ended")
@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_stop_kills_what_does_not_end(app: App, launcher: str) -> None:
    """A job that ignores Ctrl-C and SIGTERM, and what it has started."""
    app.write(
        "import subprocess\nsubprocess.Popen([sys.executable, '-c', CHILD.format(cfg.x)])\n" + STUBBORN,
        "defaults: [callbacks: [logging_callback, detach_callback]]\nx: 0",
        "CHILD = \"import os,time; open('child{}', 'w').write(str(os.getpid())); time.sleep(300)\"",
    )
    assert app.sweep(launcher, "x=1,2").code == 0
    child = app.directory / "child1"
    wait_until(lambda: (app.directory / "stubborn1").exists() and child.exists() and child.read_text())
    pid = int(child.read_text())
    stopped = cli("stop", "out", "--after", "0.5", cwd=app.directory)
    assert stopped.code == 0, stopped.err + stopped.out
    assert "Interrupted: " in stopped.out
    assert launcher == "joblib" or "Killed: " in stopped.out  # that kills its workers itself, if it comes to it first
    wait_until(lambda: not Path(f"/proc/{pid}/cmdline").exists() or not Path(f"/proc/{pid}/cmdline").read_bytes())
    assert read_run(app.directory / "out").status == "INTERRUPTED"


@pytest.mark.usefixtures("ended")
@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_stop_ends_what_jobs_have_started(app: App, launcher: str) -> None:
    """As Ctrl-C on a terminal does; what is in a session of its own means to stay, there as well."""
    children = "for own in (False, True): subprocess.Popen([sys.executable, '-c', CHILD.format(own)], start_new_session=own)"
    body = f"import subprocess\n{children}\ntime.sleep(300)"
    child = "CHILD = \"import os,time; open('child{}', 'w').write(str(os.getpid())); time.sleep(300)\""
    app.write(body, "defaults: [callbacks: [logging_callback, detach_callback]]\nx: 0", child)
    assert app.sweep(launcher, "x=1").code == 0
    files = [app.directory / f"child{own}" for own in (False, True)]
    wait_until(lambda: all(file.exists() and file.read_text() for file in files))
    with_it, alone = (int(file.read_text()) for file in files)
    try:
        assert cli("stop", "out", cwd=app.directory).code == 0
        assert not Path(f"/proc/{with_it}").exists() or not Path(f"/proc/{with_it}/cmdline").read_bytes()
        if launcher != "joblib":  # which kills its workers with all that they have started
            assert Path(f"/proc/{alone}/cmdline").read_bytes()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(alone, signal.SIGKILL)


@pytest.mark.usefixtures("ended")
def test_two_that_stop_at_once_send_one_signal(app: App) -> None:
    """The second says whom it waits for, and both say how it stands."""
    app.write(STUBBORN, "defaults: [callbacks: [detach_callback]]\nx: 0")
    assert app.run("-m", "x=1").code == 0
    wait_until((app.directory / "stubborn1").exists)
    stops = [
        subprocess.Popen(
            [*COMMAND, "stop", "out", "--after", "3"],
            cwd=app.directory,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = [stop.communicate(timeout=60) for stop in stops]
    assert [stop.returncode for stop in stops] == [0, 0]
    assert sum("Interrupted" in out for out, _ in said) == 1
    assert sum("is stopping it already" in err for _, err in said) == 1
    assert all("is INTERRUPTED" in out for out, _ in said)
    assert (app.directory / "out" / "detached.log").read_text().count("not now") == 1


@pytest.mark.usefixtures("ended")
def test_ctrl_c_leaves_it_running(app: App) -> None:
    """`attach` says so, and how to end it."""
    app.write(WAITS, CONFIG)
    assert app.run("-m", "x=1,2", **variables(app)).code == 0
    process = subprocess.Popen(
        [*COMMAND, "attach", "out"],
        cwd=app.directory,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    wait_until(lambda: "job 1" in process.stdout.readline())
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.endswith(f"\nIt goes on. To end it: hydra-callback-kit stop {app.directory / 'out'}\n")
    go(app)
    assert the_end(app.directory / "out").count("COMPLETED") == 2


def test_what_another_user_has_written_ends_nobody(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may name the reader's own processes; with `--yes` it is believed."""
    app.write("return 1", "defaults: [callbacks: [logging_callback]]\nx: 0")
    assert app.run("-m", "x=1").code == 0
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"]) as other:
        try:
            (journal,) = (app.directory / "out" / ".callbacks").glob("*.jsonl")
            lines = [json.loads(line) for line in journal.read_text().splitlines()]
            named = {"pid": other.pid, "born": born_as(other.pid)}
            kept = [{**line, **named} for line in lines if line["event"] in ("run_started", "job_started")]
            journal.write_text("".join(json.dumps(line) + "\n" for line in kept))
            monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 4242)
            said = CliRunner().invoke(main, ["stop", str(app.directory / "out")])
            assert (said.exit_code, "was written by" in said.output, other.poll()) == (2, True, None)
            assert CliRunner().invoke(main, ["stop", str(app.directory / "out"), "--yes"]).exit_code == 0
            assert other.wait(30) != 0
        finally:
            other.kill()


@pytest.mark.usefixtures("ended")
def test_nobody_elses_process_is_hit(app: App) -> None:
    """A process that has got the pid of one on record is left alone, and so is one whose birth is not on record."""
    app.write("return 1", "defaults: [callbacks: [logging_callback]]\nx: 0")
    assert app.run("-m", "x=1").code == 0
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
    try:
        (journal,) = (app.directory / "out" / ".callbacks").glob("*.jsonl")
        lines = [json.loads(line) for line in journal.read_text().splitlines()]
        kept = [line for line in lines if line["event"] in ("run_started", "job_started")]
        born = read_run(app.directory / "out").process
        assert born is not None
        for told, code in ((born.born, 0), (None, 1)):
            journal.write_text("".join(json.dumps({**line, "pid": other.pid, "born": told}) + "\n" for line in kept))
            said = cli("stop", "out", "--after", "0", cwd=app.directory)
            assert said.code == code
            assert "Interrupted" not in said.out
            assert other.poll() is None
        assert f"If it is: kill {other.pid}" in said.err
        journal.write_text("".join(json.dumps({**line, "host": "elsewhere"}) + "\n" for line in kept))
        said = cli("stop", "out", "--after", "0", cwd=app.directory)
        assert said.code == 1
        assert f"on elsewhere. Type there: hydra-callback-kit stop {app.directory / 'out'}" in said.err
    finally:
        other.kill()
        other.wait()
