"""A task function that keeps to a time limit: what is raised in it and where, and that nothing is once it has returned."""

import contextlib
import multiprocessing
import os
import pickle
import random
import signal
import subprocess
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hook_calls import pickled

from hydra_callback_kit import JobTimeoutError, SweepTimeoutError
from hydra_callback_kit.launching import job_watch
from hydra_callback_kit.launching.deadline import Deadline
from hydra_callback_kit.launching.limited import LimitedTask, Limits


def limited(task: Callable[[Any], Any], job_s: float | None, *, interrupts: bool = False, **limits: Any) -> LimitedTask:
    """A task function with a limit."""
    return LimitedTask(task, Limits(job_s, limits.get("grace_s", 60.0), interrupts, limits.get("deadline")))


def loops(_: Any) -> None:
    """Never returns."""
    while True:
        pass


def sleeps(seconds: float) -> float:
    """Returns what it got, later."""
    time.sleep(seconds)
    return seconds


@pytest.fixture(autouse=True)
def nothing_is_left_behind() -> Iterator[None]:
    """No thread, no handler, nothing that is watched."""
    yield
    assert not [thread for thread in threading.enumerate() if thread.name == "hydra_callback_kit.time_limit"]
    assert signal.getsignal(signal.SIGURG) == signal.SIG_DFL
    assert not job_watch._open


@pytest.fixture
def often_another_thread() -> Iterator[None]:
    """The threads take turns so often that the exception comes into any line of ours."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def in_thread(call: Callable[[], Any]) -> Any:
    """What a call returns or raises in a thread of its own."""
    came: list[Any] = []

    def run() -> None:
        try:
            came.append(call())
        except Exception as error:  # noqa: BLE001  the test looks at it
            came.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)
    return came[0]


def test_it_is_the_task_function_in_all_but_time() -> None:
    """By its names, what it takes, returns and raises, also where it was pickled to."""
    task = limited(sleeps, 30)
    assert (task.__name__, task.__module__, task.__doc__) == (sleeps.__name__, sleeps.__module__, sleeps.__doc__)
    assert task.__wrapped__ is sleeps
    assert pickled(task)(0.0) == 0.0
    with pytest.raises(TypeError, match="NoneType"):
        task(None)


@pytest.mark.parametrize("task", [loops, lambda _: time.sleep(60), lambda _: threading.Lock().acquire() and sleeps(60)])
def test_it_is_raised_in_the_main_thread_wherever_that_waits(task: Callable[[Any], Any]) -> None:
    """With what is to be said, and without a frame of this package at its end."""
    began_s = time.monotonic()
    with pytest.raises(JobTimeoutError, match=r"^the job took longer than job_s=0\.1$") as raised:
        limited(task, 0.1)(None)
    assert 0.1 <= time.monotonic() - began_s < 10
    assert raised.traceback[-1].path.name == "test_limited.py"
    assert not raised.value.interrupts


def test_it_is_raised_in_another_thread_with_the_same_words() -> None:
    """Where a signal cannot reach."""
    error = in_thread(lambda: limited(loops, 0.1, interrupts=True)(None))
    assert type(error) is JobTimeoutError
    assert (str(error), error.interrupts) == ("the job took longer than job_s=0.1", True)
    again = pickled(error)
    assert (str(again), again.interrupts) == (str(error), True)


def test_where_the_app_listens_to_the_signal_it_still_does() -> None:
    """The exception comes another way."""
    heard: list[int] = []
    before = signal.signal(signal.SIGURG, lambda number, _: heard.append(number))
    try:
        with pytest.raises(JobTimeoutError):
            limited(loops, 0.1)(None)
        signal.raise_signal(signal.SIGURG)
    finally:
        signal.signal(signal.SIGURG, before)
    assert heard == [signal.SIGURG]


def takes_the_signal(_: Any) -> None:
    """Listens to the signal itself, once it runs."""
    signal.signal(signal.SIGURG, signal.SIG_IGN)
    loops(_)


def test_where_the_task_function_takes_the_signal_it_is_raised_all_the_same() -> None:
    """As in another thread; the task's handler is not ours to put away."""
    with pytest.raises(JobTimeoutError):
        limited(takes_the_signal, 0.2)(None)
    assert signal.getsignal(signal.SIGURG) == signal.SIG_IGN
    signal.signal(signal.SIGURG, signal.SIG_DFL)


def test_a_task_function_that_catches_it_and_returns_has_returned() -> None:
    """Cleaning up may take a while."""

    def catches(_: Any) -> str:
        try:
            loops(_)
        except TimeoutError:
            time.sleep(0.2)
            return "so far"
        return "never"

    assert limited(catches, 0.1)(None) == "so far"


@pytest.mark.parametrize("caller", [lambda call: call(), in_thread])
@pytest.mark.parametrize("code", [0, 3, "bye"])
def test_one_that_answers_it_by_sys_exit_has_failed_by_it(caller: Callable[[Callable[[], Any]], Any], code: Any) -> None:
    """Whatever its exit code, and after whatever it has done since: else it would end the sweep as if all was well."""

    def leaves(_: Any) -> None:
        with contextlib.suppress(TimeoutError):
            loops(_)
        sys.exit(code)

    with pytest.raises(JobTimeoutError, match=r"^the job took longer than job_s=0\.1$") as raised:
        _raise(caller(lambda: limited(leaves, 0.1, interrupts=True)(None)))
    assert raised.value.interrupts
    assert isinstance(raised.value.__cause__, SystemExit)
    assert raised.traceback[-1].name == "leaves"


def _raise(error: Exception) -> None:
    raise error


def test_sys_exit_in_time_is_the_jobs_own() -> None:
    """Nobody has told it anything."""
    with pytest.raises(SystemExit, match="3"):
        limited(sys.exit, 30)(3)


def test_a_child_that_is_forked_as_it_cleans_up_leaves_as_it_does() -> None:
    """What it raises is not the job's."""

    def forks(_: Any) -> int:
        with contextlib.suppress(TimeoutError):
            loops(_)
        child = os.fork()
        if child == 0:
            sys.exit(7)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def task(_: Any) -> int:
        try:
            return limited(forks, 0.1)(None)
        except BaseException as error:  # noqa: BLE001  only the child comes here
            os._exit(error.code if isinstance(error, SystemExit) else 1)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python warns of a fork beside threads
        assert task(None) == 7


def fails(_: Any) -> None:
    """By its own error."""
    raise ValueError("its own")


def leaves_by_itself(_: Any) -> None:
    """With nobody asking."""
    sys.exit(3)


def answers_by_sys_exit(_: Any) -> None:
    """Once it was told."""
    try:
        loops(_)
    except TimeoutError:
        sys.exit(0)


@pytest.mark.parametrize("job_s", [None, 0.2])
@pytest.mark.parametrize("task", [fails, leaves_by_itself, loops, answers_by_sys_exit])
def test_what_a_job_raises_shows_no_frame_of_ours(task: Callable[[Any], Any], job_s: float | None) -> None:
    """Hydra prints the traceback: the reader looks for the fault there. Python 3.10 keeps frames that it came through."""
    if job_s is None and task in (loops, answers_by_sys_exit):
        return
    with pytest.raises(BaseException) as raised:  # noqa: PT011  of any kind
        limited(task, job_s)(None)
    shown = "".join(traceback.format_exception(raised.value))
    assert task.__name__ in shown
    if sys.version_info >= (3, 11):
        assert "hydra_callback_kit/" not in shown


def test_one_that_goes_on_is_told_again() -> None:
    """After the time that it has to clean up, or a second."""

    def catches(_: Any) -> int:
        for _ in range(2):
            with contextlib.suppress(TimeoutError):
                loops(_)
        return 2

    assert limited(catches, 0.1, grace_s=0.0)(None) == 2


@pytest.mark.parametrize("caller", [lambda call: call(), in_thread])
def test_nothing_is_raised_once_it_has_returned(
    often_another_thread: None, caller: Callable[[Callable[[], Any]], Any]
) -> None:
    """Tasks that end as their time does: either the value comes out or the exception, and afterwards there is peace."""
    chance = random.Random(0)  # noqa: S311  no secret

    def many() -> dict[str, int]:
        counts = {"returned": 0, "raised": 0}
        for _ in range(1000):
            until_s = time.perf_counter() + 0.002 + chance.uniform(-0.001, 0.002)

            def spins(_: Any, until_s: float = until_s) -> None:
                while time.perf_counter() < until_s:
                    pass

            try:
                limited(spins, 0.002)(None)
                counts["returned"] += 1
            except JobTimeoutError:
                counts["raised"] += 1
            for _ in range(1000):  # whatever is pending would be raised here
                pass
        return counts

    counts = caller(many)
    assert isinstance(counts, dict), counts
    assert sum(counts.values()) == 1000
    assert min(counts.values()) > 0


def test_nothing_is_raised_while_the_thread_that_watches_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine the time is over before that has returned, and Python would make another error of it."""
    name = "_start_joinable_thread" if hasattr(threading, "_start_joinable_thread") else "_start_new_thread"
    starts = getattr(threading, name)

    def spins(_: Any) -> None:
        until_s = time.perf_counter() + 0.1
        while time.perf_counter() < until_s:
            pass

    def slowly(*args: Any, **kwargs: Any) -> Any:
        started = starts(*args, **kwargs)
        spins(None)
        return started

    monkeypatch.setattr(threading, name, slowly)
    error = in_thread(lambda: limited(spins, 0.002)(None))
    assert type(error) is JobTimeoutError


PROFILED = """
import sys, threading
from hydra_callback_kit import JobTimeoutError
from hydra_callback_kit.launching.limited import LimitedTask, Limits
def stays(seen):
    try:
        while True:
            pass
    except JobTimeoutError:
        seen.append("told")
seen = []
thread = threading.Thread(target=LimitedTask(stays, Limits(0.1, 60.0, False, None)), args=[seen])
thread.start()
thread.join()
sys.setprofile(lambda *_: None)
print(*seen, sum(range(3)))
"""


def test_a_profiler_can_be_started_after_a_limit_was_met_in_a_thread() -> None:
    """Python 3.11 hangs where it was told to raise something, and then not to: under a profiler, a debugger, coverage."""
    done = subprocess.run([sys.executable, "-c", PROFILED], capture_output=True, text=True, timeout=30, check=False)
    assert done.stdout == "told 3\n", done.stderr


def test_a_job_inside_of_a_job_has_a_limit_of_its_own() -> None:
    """The inner one ends first; the outer one is told later, of its own limit."""

    def outer(_: Any) -> None:
        with pytest.raises(JobTimeoutError, match=r"job_s=0\.1"):
            limited(loops, 0.1)(None)
        loops(_)

    with pytest.raises(JobTimeoutError, match=r"job_s=2\b"):
        limited(outer, 2)(None)
    error = in_thread(lambda: limited(outer, 2)(None))
    assert "job_s=2" in str(error)


def test_a_forked_child_has_no_limit_and_ends() -> None:
    """It has neither the thread that watches nor anything to wait for."""

    def forks(_: Any) -> int:
        child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(0.6,))
        child.start()
        child.join(10)
        return child.exitcode or 0

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python warns of a fork beside threads
        assert limited(forks, 30)(None) == 0


def test_once_the_time_of_the_sweep_is_over_it_is_not_called() -> None:
    """By the clock of the machine that started the sweep, or on another one by the time of day."""
    here, elsewhere = Deadline.of(60), Deadline.of(60)._replace(host="elsewhere")
    assert limited(sleeps, None, deadline=here)(0) == 0
    for over in (here._replace(monotonic_s=0.0), elsewhere._replace(time_s=0.0)):
        with pytest.raises(SweepTimeoutError, match=r"the time of the sweep is over \(sweep_s=60\)"):
            pickle.loads(pickle.dumps(limited(pytest.fail, 10, deadline=over)))("it was called")
    for not_over in (here._replace(time_s=0.0), elsewhere._replace(monotonic_s=0.0)):
        assert limited(sleeps, None, deadline=not_over)(0) == 0


KILLED = """
import os, re, signal, sys, threading, time
from pathlib import Path
from hydra_callback_kit.journal.identity import JobIdentity, RunIdentity
from hydra_callback_kit.journal.last_words import LastWordsFile
from hydra_callback_kit.launching.job_watch import Own
from hydra_callback_kit.launching.limited import LimitedTask, Limits, may_be_killed

root = Path(sys.argv[1])
(root / ".callbacks").mkdir(exist_ok=True)
run = RunIdentity("20260101T000000000000-00000000", root, "MULTIRUN")
job = JobIdentity(run, 3, "abc/3/0", os.getpid(), None, "app", (), root)

def stays(_):
    while True:
        try:
            time.sleep(60)
        except TimeoutError:
            print("told", flush=True)

def hangs(_):
    re.match("(a+)+$", "a" * 60 + "b")

def forks(_):
    child = os.fork()
    if child == 0:
        sys.exit(0)  # waits for what the interpreter waits for as it ends
    assert os.waitpid(child, 0)[1] == 0
    hangs(_)

def returns(_):
    return 1

def record(error, where):
    print(error, *where, flush=True)

may_be_killed(Own(record, LastWordsFile(job) if sys.argv[3] == "words" else None))
job_s = 5.0 if sys.argv[2] == "forks" else 1.0  # a child may need more than a second to end where much else runs
task = LimitedTask(globals()[sys.argv[2]], Limits(job_s, 0.2, False, None))
task(None)
print("returned", os.listdir(root / ".callbacks"))
"""


def killed(tmp_path: Any, how: str, words: str = "words") -> "subprocess.CompletedProcess[str]":
    """A process of its own that runs a task function which may be killed."""
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", KILLED, str(tmp_path), how, words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_process_that_stays_is_killed_and_says_so_before(tmp_path: Any) -> None:
    """It was told first. What is recorded is where it was."""
    done = killed(tmp_path, "stays")
    assert done.returncode == -signal.SIGKILL
    assert done.stdout.startswith(
        "told\nthe job took longer than job_s=1, and had not left after 0.2 s more: its process was"
    )
    assert "in stays" in done.stdout
    assert "limited.py" not in done.stdout
    assert not [*(tmp_path / ".callbacks").iterdir()]


@pytest.mark.parametrize("how", ["hangs", "forks"])
def test_a_process_that_c_code_holds_is_ended_and_leaves_where_it_was(tmp_path: Any, how: str) -> None:
    """No line of Python runs there any more; a child that it has forked before ends as it should."""
    done = killed(tmp_path, how)
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    assert "JobTimeoutError" not in done.stderr, "it was told in time"
    (left,) = (tmp_path / ".callbacks").iterdir()
    whose, _, where = left.read_text().partition("\n")
    assert whose == '[3, "abc/3/0"]'
    assert "in hangs" in where
    assert "in hangs" in killed(tmp_path, how, "stderr").stderr


def test_a_process_that_keeps_to_its_time_leaves_nothing(tmp_path: Any) -> None:
    """The file is gone before the end hooks of the job."""
    done = killed(tmp_path, "returns")
    assert (done.returncode, done.stdout) == (0, "returned []\n")
