"""End to end: `output_capture_callback`: what jobs write, whoever writes it, under each launcher and however they end."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from apps import LAUNCHERS, MAIN_ARGUMENTS, App
from ranks import RANK, start_ranks, torchrun_rank
from terminal import cli

from hydra_callback_kit.journal.reader import read_run

CONFIG = """
defaults:
  - callbacks: [output_capture_callback]
  - _self_
x: 0
"""
WITH = "hydra.callbacks.output_capture_callback."
WRITES = """
import ctypes, logging, subprocess

def writes(x):
    print("printed", x)
    print("complains", x, file=sys.stderr)
    logging.getLogger("mine").warning("logged %s", x)
    subprocess.run(["sh", "-c", f"echo child {x}; echo its error {x} >&2"])
    os.write(1, b"past Python\\n")
    ctypes.CDLL(None).puts(b"from C")
"""
FAILS = "writes(cfg.x)\nif cfg.x == 1:\n    raise ValueError('boom')"


def whole(text: str, x: int) -> bool:
    """Whether all is there that `writes` writes for a job, each line once."""
    said = (f"printed {x}", f"complains {x}", f"[mine][WARNING] - logged {x}", f"child {x}", f"its error {x}")
    return all(text.count(f"{line}\n") == 1 for line in (*said, "past Python", "from C"))


def tails(root: Path, job: int = 0) -> dict[str, str]:
    """The last lines on record."""
    return read_run(root).jobs[job].facts["captured_output"]["tails"]


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_each_job_has_what_it_wrote(app: App, launcher: str) -> None:
    """Python, C and children, of a job that fails as of the others; the terminal and the exit code are as without us."""
    app.write(FAILS, CONFIG, WRITES)
    done = app.sweep(launcher, "x=0,1,2")
    assert done.code == 1
    for x in range(3):
        output = (done.root / str(x) / "output.log").read_text()
        assert whole(output, x)
        assert tails(done.root, x) == {"output.log": output.strip()}
        if launcher != "submitit_local":  # it has files of its own for its jobs
            assert whole_of(done.stdout, x)
            assert f"complains {x}\n" in done.stderr
            assert f"its error {x}\n" in done.stderr
            assert "complains" not in done.stdout
    named = cli("failed", done.root).out
    assert "output.log ends:\n" in named
    assert "    its error 1\n" in named


def whole_of(stdout: str, x: int) -> bool:
    """The same of stdout alone, where the lines of several jobs are."""
    return all(f"{line}\n" in stdout for line in (f"printed {x}", f"child {x}", "past Python", "from C"))


def test_the_order_is_that_of_the_terminal(app: App) -> None:
    """Where both streams go to the same place, and in one job after another of one process."""
    body = "for number in range(200):\n    print(cfg.x, number, file=sys.stderr if number % 3 else sys.stdout, flush=True)"
    app.write(body, CONFIG)
    with (app.directory / "said").open("w") as said:
        subprocess.run(
            app.command("-m", "x=1,2"), cwd=app.directory, env=app.environment(), stdout=said, stderr=said, check=True
        )
    for x in (1, 2):
        lines = [f"{x} {number}" for number in range(200)]
        assert (app.directory / "out" / str(x - 1) / "output.log").read_text().splitlines() == lines
        assert [line for line in (app.directory / "said").read_text().splitlines() if line.startswith(f"{x} ")] == lines


@pytest.mark.parametrize("tee", ["true", "false"])
def test_the_streams_have_files_of_their_own(app: App, tee: str) -> None:
    """And with `tee=false` nothing of it is shown."""
    app.write("writes(cfg.x)", CONFIG, WRITES)
    done = app.run(f"{WITH}separate=true", f"{WITH}tee={tee}", f"{WITH}tail_lines=2")
    assert done.code == 0
    files = {name: (done.root / f"{name}.log").read_text() for name in ("stdout", "stderr")}
    assert whole(files["stdout"] + files["stderr"], 0)
    assert "printed" in files["stdout"]
    assert "complains" in files["stderr"]
    assert (done.stdout, done.stderr) == ((files["stdout"], files["stderr"]) if tee == "true" else ("", ""))
    assert tails(done.root) == {f"{name}.log": "\n".join(files[name].split("\n")[-3:-1]) for name in files}


@pytest.mark.parametrize("tee", ["true", "false"])
def test_a_job_that_is_killed_leaves_all_that_reached_the_descriptors(app: App, tee: str) -> None:
    """SIGKILL: the file and the terminal have it, and `failed` reads the end of it, without secrets."""
    body = (
        "for number in range(3000):\n    os.write(1, b'%d \\x1b[1mswordfish\\x1b[0m\\n' % number)\nos.kill(os.getpid(), 9)"
    )
    app.write(body, f"{CONFIG}password: swordfish")
    done = app.run(f"{WITH}tee={tee}")
    assert done.code == -signal.SIGKILL
    lines = [f"{number} \x1b[1mswordfish\x1b[0m" for number in range(3000)]
    assert (done.root / "output.log").read_text().splitlines() == lines
    assert done.stdout.splitlines() == (lines if tee == "true" else [])
    named = cli("failed", done.root).out
    assert "    2990 <redacted" in named
    assert "    2999 <redacted" in named
    assert "    2989" not in named
    assert "swordfish" not in named
    assert cli("failed", done.root, "--output").out.count("    29") == 50


def test_no_secret_is_on_record(app: App) -> None:
    """Neither whole nor in colours, nor what is left of one that something else was written over."""
    app.write("print('a swordfish b', 'sword\\x1b[1mfish', 'swordfish\\rX', flush=True)", f"{CONFIG}password: swordfish")
    done = app.run()
    journal = "".join(file.read_text() for file in (done.root / ".callbacks").glob("*.jsonl"))
    assert "ordfish" not in journal
    assert "swordfish" in (done.root / "output.log").read_text()


@pytest.mark.parametrize("tee", ["true", "false"])
def test_a_job_that_starts_again_goes_on_with_the_file(app: App, tee: str) -> None:
    """Below a line that says so; the record has the lines of the last attempt alone."""
    app.write("print(cfg.x, end='')", CONFIG)
    app.run("x=1", f"{WITH}tee={tee}")
    done = app.run("x=2", f"{WITH}tee={tee}")
    first, title, second = (done.root / "output.log").read_text().split("\n")
    assert (first, second) == ("1", "2")
    assert title.startswith("--- job 0 starts again, ")
    assert tails(done.root) == {"output.log": "2"}


def test_what_lies_there_and_is_no_file_is_kept(app: App) -> None:
    """A link is not followed."""
    (app.directory / "out").mkdir()
    (app.directory / "mine").write_text("mine")
    (app.directory / "out" / "output.log").symlink_to(app.directory / "mine")
    app.write("print('written')", CONFIG)
    done = app.run()
    assert done.code == 0
    assert (app.directory / "mine").read_text() == "mine"
    assert (done.root / "output.log").read_text().startswith("written\n")
    assert (done.root / "output.log.bak").is_symlink()


STOPS = """
import atexit
def later():
    print("later")
    os.write(2, b"even later\\n")
atexit.register(later)
"""


@pytest.mark.parametrize(
    ("how", "arguments"),
    [
        ("raise KeyboardInterrupt", ["x=1"]),
        ("raise KeyboardInterrupt", ["-m", "x=1,2"]),
        ("sys.exit(3)", ["x=1"]),
        ("raise ValueError", ["x=1"]),
    ],
)
def test_the_descriptors_are_put_back_however_the_job_ends(app: App, how: str, arguments: list[str]) -> None:
    """Where Hydra calls no end hook as well, before the app goes on; the exit code is as without us."""
    app.write(f"print('inside')\n{how}", CONFIG, STOPS)
    source = (app.directory / "app.py").read_text()
    goes_on = "    try:\n        main()\n    finally:\n        print('after', flush=True)\n"
    (app.directory / "app.py").write_text(source.replace("    main()\n", goes_on))
    done = app.run(*arguments)
    (app.directory / "config.yaml").write_text("x: 0\n")
    bare = app.run(*arguments, "hydra.sweep.dir=bare", "hydra.run.dir=bare")
    assert done.code == bare.code
    assert re.sub("[0-9]", "", done.stdout) == re.sub("[0-9]", "", bare.stdout)
    assert done.stderr.count("Traceback") == bare.stderr.count("Traceback")
    (file, *_) = sorted(done.root.rglob("output.log"))
    assert file.read_text() == "inside\n"
    assert tails(done.root) == {"output.log": "inside"}


def test_whoever_reads_no_longer_is_seen_by_the_job(app: App) -> None:
    """`app.py | head -1`: the job's next write fails, as without us."""
    app.write(
        """
        try:
            while True:
                os.write(1, b"y\\n" * 1000)
        except BrokenPipeError:
            print("BROKEN", file=sys.stderr)
        """,
        CONFIG,
    )
    with app.start() as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "y\n"
        process.stdout.close()
        assert process.stderr is not None
        assert "BROKEN" in process.stderr.read()
    assert (app.directory / "out" / "output.log").read_text().startswith("y\ny\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a full disk to write to")
def test_what_cannot_be_shown_is_in_the_file(app: App) -> None:
    """`app.py > /dev/full`, and a full disk beside the app: one warning says what is missing where."""
    app.write("print('to a full disk', flush=True)", CONFIG)
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            app.command("hydra/job_logging=stdout", "hydra.job_logging.handlers.console.stream=ext://sys.stderr"),
            cwd=app.directory,
            env=app.environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("could not be shown: No space left on device") == 1
    assert (app.directory / "out" / "output.log").read_text() == "to a full disk\n"


def test_a_full_disk_takes_the_file_and_not_the_job(app: App) -> None:
    """With `tee` what it writes is shown all the same, and a warning says what the file lacks."""
    app.write(
        "import resource\nprint('x' * 200_000)\nprint('shown', flush=True)",
        CONFIG,
        "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))",
    )
    done = app.run(PYTHONDONTWRITEBYTECODE="1")
    assert done.code == 0, done.stderr
    assert "shown\n" in done.stdout
    assert "Some of what the job wrote is not in output.log: File too large" in done.stdout


@pytest.mark.parametrize(
    ("closed", "said", "kept"),
    [
        (">&- 2>&-", "no stdout and no stderr", ""),
        (">&-", "no stdout", "in C"),
        ("2>&-", "no stderr", "shown\nby a child\n"),
    ],
)
def test_what_is_closed_is_not_captured_and_it_is_said(app: App, closed: str, said: str, kept: str) -> None:
    """`app.py >&- 2>&-`: once, in the log, which is the only place; what is open is captured."""
    body = """
    import subprocess
    if sys.stdout is not None:
        print("shown", flush=True)
        subprocess.run(["echo", "by a child"])
    elif sys.stderr is not None:
        os.write(2, b"in C")
    """
    app.write(body, CONFIG)
    command = ["sh", "-c", f'exec "$@" {closed}', "sh", *app.command()]
    done = subprocess.run(command, cwd=app.directory, env=app.environment(), stdout=-1, stderr=-1, check=False)
    assert done.returncode == 0
    log = (app.directory / "out" / "app.log").read_text()
    assert log.count("The process has ") == log.count(f"The process has {said} here:") == 1
    assert "as in a notebook" not in log
    output = app.directory / "out" / "output.log"
    assert kept in (output.read_text() if kept else "")
    assert output.exists() is bool(kept)


def test_each_job_after_one_that_has_closed_the_streams_says_that_it_is_not_captured(app: App) -> None:
    """Its log is the only place where it can be seen: the jobs of a process have the streams that those before have left."""
    app.write("if cfg.x == 0:\n    os.close(1)\n    os.close(2)", CONFIG)
    done = app.sweep("basic", "x=0,1,2")
    assert [(done.root / str(x) / "output.log").exists() for x in range(3)] == [True, False, False]
    logs = [(done.root / str(x) / "app.log").read_text() for x in range(3)]
    assert [log.count("The process has no stdout and no stderr here:") for log in logs] == [0, 1, 1]


OUTLIVES = """
import subprocess
def outlives(file):
    code = f"import os, time\\nwhile not os.path.exists({file!r}): time.sleep(0.01)\\nprint('the child', flush=True)"
    return subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
"""


def test_a_child_that_outlives_its_job_keeps_nobody_waiting(app: App) -> None:
    """What it writes afterwards is in the file of its job and on the terminal, as without us."""
    body = """
    if cfg.x == 1:
        sys.child = outlives("go")
    else:
        print("the next")
        open("go", "w").close()
        sys.child.wait()
    """
    app.write(body, CONFIG, OUTLIVES)
    done = app.run("-m", "x=1,2")
    assert done.code == 0
    assert "the next\n" in done.stdout
    assert "the child\n" in done.stdout
    assert (done.root / "0" / "output.log").read_text() == "the child\n"
    assert (done.root / "1" / "output.log").read_text() == "the next\n"


def test_a_job_that_forks_and_waits_for_its_children(app: App) -> None:
    """It meets no child of ours, and a fork that returns from the task function ends nothing."""
    body = """
    if os.fork() == 0:
        print("forked", flush=True)
        os._exit(0)
    os.wait()
    try:
        os.wait()
    except ChildProcessError:
        print("no other child", flush=True)
    import multiprocessing
    worker = multiprocessing.get_context("spawn").Process(target=print, args=("spawned",))
    worker.start()
    worker.join()
    print("both")
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
    """
    app.write(body, CONFIG)
    done = app.run()
    assert done.code == 0, done.stderr
    lines = (done.root / "output.log").read_text().splitlines()
    assert {"spawned", "forked", "no other child"} <= set(lines)
    assert done.stdout.count("both\n") == 2


def test_a_job_that_leads_its_streams_elsewhere(app: App) -> None:
    """It puts them back, or does not: what comes later goes where it went without us."""
    body = """
    print("before", flush=True)
    was = os.dup(1)
    mine = os.open("mine", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(mine, 1)
    print("to mine", flush=True)
    if cfg.x == 1:
        os.dup2(was, 1)
        print("after", flush=True)
    else:
        os.closerange(3, 64)
    """
    app.write(body, CONFIG)
    done = app.run("-m", "x=1,2,3")
    assert done.code == 0, done.stderr
    assert (done.root / "0" / "output.log").read_text() == "before\nafter\n"
    assert (done.root / "1" / "output.log").read_text() == "before\n"
    assert done.stdout.count("before\n") == 2
    assert (app.directory / "mine").read_text().splitlines()[0:2] == ["to mine", "to mine"]


def test_a_job_asks_and_is_answered(app: App) -> None:
    """A prompt is shown before the answer is read, and stdin is the job's."""
    app.write("print('it says', input('what? '))", CONFIG)
    process = app.start()
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.read(6) == "what? "
    process.stdin.write("yes\n")
    process.stdin.flush()
    rest, errors = process.communicate(timeout=60)
    assert (process.returncode, rest) == (0, "it says yes\n"), errors


THREADS = """
import os, sys, threading
from pathlib import Path
from hook_calls import config_of, job_of, returned
from hydra_callback_kit import OutputCaptureCallback

meeting = threading.Barrier(2)

def run(config, is_first):
    callback = OutputCaptureCallback()
    if not is_first:
        meeting.wait(60)
    callback.on_job_start(config=config, task_function=len)
    if is_first:
        meeting.wait(60)
    os.write(1, b"job %d\\n" % config.hydra.job.num)
    meeting.wait(60)
    callback.on_job_end(config=config, job_return=returned())

threads = []
for num in range(2):
    directory = Path("out", str(num)).absolute()
    directory.mkdir(parents=True)
    config = job_of(config_of(directory.parent, mode="MULTIRUN"), num=num, id=num)
    config.hydra.runtime.output_dir = str(directory)
    threads.append(threading.Thread(target=run, args=(config, num == 0)))
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
os.write(1, b"the end\\n")
"""


def test_jobs_in_threads_share_the_descriptors(app: App) -> None:
    """One warning, and the job that is not captured has no file; whoever ends last, the descriptors are back."""
    tests = str(Path(__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", THREADS],
        cwd=app.directory,
        env=app.environment(PYTHONPATH=tests),
        capture_output=True,
        text=True,
        check=True,
    )
    assert sorted(done.stdout.splitlines()) == ["job 0", "job 1", "the end"]
    assert done.stderr.count("Several jobs run in threads of this process") == 1
    assert [file.name for file in app.directory.rglob("output*.log")] == ["output_0.log"]


def test_an_app_in_a_job_of_another_app(app: App) -> None:
    """What the inner one writes is in both files, and on the terminal once."""
    inner = f"@hydra.main({MAIN_ARGUMENTS})\ndef inner(cfg):\n    print('inside')"
    body = """
    print("outside", flush=True)
    sys.argv = ["app.py", "hydra.run.dir=inner"]
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.singleton import Singleton
    state = Singleton.get_state()
    GlobalHydra.instance().clear()
    inner()
    Singleton.set_state(state)
    print("outside again")
    """
    app.write(body, CONFIG, inner)
    done = app.run()
    assert done.code == 0, done.stderr
    assert done.stdout == (done.root / "output.log").read_text() == "outside\ninside\noutside again\n"
    assert (app.directory / "inner" / "output.log").read_text() == "inside\n"


def test_each_rank_has_a_file(app: App) -> None:
    """Rank 0 is the job; the last lines of one that fails are told with it."""
    body = "print('rank', rank())\nmeet('all')\nif rank() == 1:\n    raise ValueError('boom')"
    app.write(body, CONFIG, RANK)
    zero, one = start_ranks(app, [torchrun_rank(rank, 2) for rank in range(2)])
    assert (zero.code, one.code) == (0, 1)
    root = app.directory / "out"
    assert (root / "output.log").read_text().startswith("rank 0\n")
    assert (root / "output_rank1.log").read_text().startswith("rank 1\n")
    named = cli("failed", root).out
    assert "  output.log ends:\n    rank 0" in named
    assert "  output_rank1.log ends:\n    rank 1" in named


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["separate=true", "file=all.log"], "Leave file out"),
        (["tail_lines=-1"], "a whole number from 0 to 1000"),
        (["file=logs/"], "Write for example file="),
    ],
)
def test_bad_parameters_stop_the_app_before_any_job(app: App, given: list[str], said: str) -> None:
    """With what to write instead."""
    app.write("print('RAN')", CONFIG)
    done = app.run(*(WITH + each for each in given))
    assert (done.code, "RAN" in done.stdout) == (1, False)
    assert said in done.stderr


def test_jobs_that_share_a_directory_have_files_of_their_own(app: App) -> None:
    """And a folder below it is made."""
    app.write("print('job', cfg.x)", CONFIG)
    done = app.run("-m", "x=5,6", "hydra.sweep.subdir=all", f"{WITH}file=logs/said.txt")
    assert done.code == 0
    assert {file.name: file.read_text() for file in (done.root / "all" / "logs").iterdir()} == {
        "said_0.txt": "job 5\n",
        "said_1.txt": "job 6\n",
    }


def test_the_report_shows_how_the_output_ends(app: App) -> None:
    """Of the first job of each kind of failure, and of a single run."""
    config = CONFIG.replace("[", "[report_callback, ")
    app.write(FAILS, config, WRITES)
    done = app.run("-m", "x=0,1")
    page = (done.root / "report.html").read_text()
    assert "How <code>output.log</code> of job 1 ends" in page
    assert "its error 1" in page
    assert "its error 0" not in page
    assert "its error 2" in (app.run("x=2", "hydra.run.dir=one").directory / "one" / "report.html").read_text()


def test_the_reader_is_no_child_and_ends_with_the_job(app: App) -> None:
    """Nobody is left who holds the terminal once the app has ended: whoever reads its output comes to the end of it."""
    app.write(
        "import subprocess\nprint(subprocess.run(['ps', '-ww', '-o', 'ppid=,args=', '-A'], stdout=-1).stdout.decode())",
        CONFIG,
    )
    done = app.run()
    readers = [line.split() for line in done.stdout.splitlines() if "capture/reader.py" in line]
    assert readers
    assert str(os.getpid()) not in {ppid for ppid, *_ in readers}


def test_the_results_have_no_column_of_it(app: App) -> None:
    """It is no result, and long."""
    app.write("print('printed')\nreturn 1", CONFIG.replace("[", "[results_aggregator_callback, "))
    done = app.run()
    assert [row["facts"] for row in done.json("results.json")] == [{}]
