"""`thread_safe_callback`: nothing is lost and nothing is half done, whatever runs at once."""

import copy
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from hook_calls import Listener, call_job, call_run, config_of, job_of, pickled, returned
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf

from hydra_callback_kit import ParameterError, ThreadSafeCallback
from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.journal.reader import read_run

THREADS, JOBS = 64, 10_000


class Careless(Callback):
    """A callback that was not written for concurrency: it reads, lets others run, and writes."""

    def __init__(self) -> None:
        self.calls = 0
        self.inside = 0
        self.worst = 0

    def on_job_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Counts the call."""
        self.inside += 1
        before = self.calls
        self.worst = max(self.worst, self.inside)
        if before % 100 == 0:
            time.sleep(0)
        self.calls = before + 1
        self.inside -= 1

    def on_job_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Counts the call."""
        self.on_job_start(config)


class Totals(ThreadSafeCallback):
    """A user's subclass with state of its own."""

    def __init__(self, start: int = 0, **parameters: Any) -> None:
        super().__init__(**parameters)
        self.total = start

    def on_job_end(self, config: DictConfig, job_return: Any, **kwargs: Any) -> None:
        """Counts the job, under the lock that the state has as well."""
        with self.lock:
            self.total = self.total + 1
            super().on_job_end(config, job_return, **kwargs)


def test_64_threads_and_10000_jobs_lose_nothing(tmp_path: Path) -> None:
    """Every job has its whole entry, the journal every job, a careless callback every call, no reader half an entry."""
    careless = Careless()
    callback = Totals(callbacks={"careless": careless})
    run = config_of(tmp_path, mode="MULTIRUN")
    callback.on_multirun_start(config=run)
    template = job_of(run, num=0, id="0")
    own = threading.local()

    def job(number: int) -> None:
        if not hasattr(own, "config"):
            own.config = pickled(template)
            own.notes = copy.deepcopy(notes_of(run))
        config = own.config  # a config takes longer to make than the hooks do; each job has its own values in it
        config.hydra.job.num, config.hydra.job.id = number, f"job_{number}"
        OmegaConf.set_cache(config, {"hydra_callback_kit": own.notes})
        call_job(callback, config, ValueError("boom") if number % 5 == 0 else number)

    over = threading.Event()
    half_done: list[Any] = []

    def watch() -> None:
        while not over.wait(0.2):
            half_done.extend(entry for entry in callback.snapshot().values() if not is_whole(entry))

    watcher = threading.Thread(target=watch)
    watcher.start()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(job, range(JOBS)))
    over.set()
    watcher.join()
    assert half_done == []
    snapshot = callback.snapshot()
    assert snapshot.keys() == {f"job_{number}" for number in range(JOBS)}
    assert sum(entry["success"] for entry in snapshot.values()) == JOBS * 4 // 5
    assert all(entry["status"] == ("completed" if entry["success"] else "failed") for entry in snapshot.values())
    assert (careless.calls, careless.worst, callback.total) == (2 * JOBS, 1, JOBS)
    recorded = read_run(tmp_path)
    assert (recorded.count("COMPLETED"), recorded.count("FAILED")) == (JOBS * 4 // 5, JOBS // 5)


def is_whole(entry: dict[str, Any]) -> bool:
    """Whether the four fields of an entry belong together."""
    if entry["status"] == "running":
        return entry["start_time"] is not None and entry["end_time"] is None and entry["success"] is None
    return entry["start_time"] <= entry["end_time"] and entry["success"] is (entry["status"] == "completed")


def test_a_snapshot_is_a_copy(tmp_path: Path) -> None:
    """What happens later does not change it, and what is done to it changes nothing."""
    callback = ThreadSafeCallback()
    config = config_of(tmp_path, num=0, id="0")
    callback.on_job_start(config=config, task_function=len)
    running = callback.snapshot()
    callback.on_job_end(config=config, job_return=returned())
    assert running["0"]["status"] == "running"
    running["0"]["status"] = "changed"
    running.clear()
    assert callback.snapshot()["0"]["status"] == "completed"


def test_times_are_utc(tmp_path: Path) -> None:
    """Start and end are ISO 8601 with an offset of zero."""
    callback = ThreadSafeCallback()
    before = datetime.now(timezone.utc)
    call_job(callback, config_of(tmp_path, num=3, id="app_3"))
    entry = callback.snapshot()["app_3"]
    times = [datetime.fromisoformat(entry[name]) for name in ("start_time", "end_time")]
    assert before <= times[0] <= times[1] <= datetime.now(timezone.utc)
    assert {time.utcoffset() for time in times} == {timezone.utc.utcoffset(None)}


def test_odd_orders_give_sensible_entries(tmp_path: Path) -> None:
    """A single run has no id; an end may come without a start; a requeued job starts again."""
    callback = ThreadSafeCallback()
    call_job(callback, config_of(tmp_path))
    callback.on_job_end(config=config_of(tmp_path, num=1, id="one"), job_return=returned(ValueError("boom")))
    requeued = config_of(tmp_path, num=2, id="two")
    call_job(callback, requeued)
    callback.on_job_start(config=requeued, task_function=len)
    call_job(callback, config_of(tmp_path, num=7))
    entries = callback.snapshot()
    assert list(entries) == ["0", "one", "two", "7"]
    assert entries["0"]["success"] is True
    assert (entries["one"]["status"], entries["one"]["start_time"], entries["one"]["success"]) == ("failed", None, False)
    assert (entries["two"]["status"], entries["two"]["end_time"], entries["two"]["success"]) == ("running", None, None)


def test_the_state_is_kept_where_the_journal_cannot_be() -> None:
    """A config without Hydra's node, as in a user's own test: the state is right, and all hooks are forwarded."""
    heard: list[str] = []
    callback = ThreadSafeCallback(callbacks={"it": Listener(heard)})
    call_run(callback, OmegaConf.create({"x": 1}))
    callback.on_multirun_start(config=OmegaConf.create({}))
    callback.on_multirun_end(config=OmegaConf.create({}))
    assert callback.snapshot()["0"]["status"] == "completed"
    assert [hook.partition(".")[2] for hook in heard] == HOOKS


HOOKS = ["on_run_start", "on_job_start", "on_job_end", "on_run_end", "on_multirun_start", "on_multirun_end"]


@pytest.mark.parametrize("copied", [pickled, copy.deepcopy, copy.copy])
def test_a_copy_starts_with_the_state_that_was_pickled(tmp_path: Path, copied: Any) -> None:
    """The lock is made anew, a subclass's own state comes along, and the two go on apart."""
    original = Totals(start=10)
    call_job(original, config_of(tmp_path, num=0, id="0"))
    twin = copied(original)
    call_job(twin, config_of(tmp_path, num=1, id="1"))
    assert (list(original.snapshot()), original.total) == (["0"], 11)
    assert (list(twin.snapshot()), twin.total) == (["0", "1"], 12)
    assert twin.lock is not original.lock


def test_a_wrapped_error_is_named_and_stops_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """In each hook the one that raises is named in the log, and the one after it is called; ends come in reverse order."""
    heard: list[str] = []
    wrapped = {"first": Listener(heard, "first", ValueError("boom")), "second": Listener(heard, "second")}
    call_run(ThreadSafeCallback(callbacks=wrapped), config_of(tmp_path))
    starts, ends = ["on_run_start", "on_job_start"], ["on_job_end", "on_run_end"]
    expected = [[f"first.{hook}", f"second.{hook}"] for hook in starts]
    expected += [[f"second.{hook}", f"first.{hook}"] for hook in ends]
    assert heard == [hook for pair in expected for hook in pair]
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [record.args for record in errors] == [("first", "Listener", hook) for hook in (*starts, *ends)]


def test_what_is_meant_to_stop_the_run_passes(tmp_path: Path) -> None:
    """A wrapped callback may stop the run as an unwrapped one may."""
    callback = ThreadSafeCallback(callbacks={"it": Listener([], raises=SystemExit("enough"))})
    with pytest.raises(SystemExit, match="enough"):
        callback.on_run_start(config=config_of(tmp_path))


def test_a_hook_that_raises_lets_go_of_the_lock(tmp_path: Path) -> None:
    """Another thread gets in after a SystemExit."""
    callback = ThreadSafeCallback(callbacks={"it": Listener([], raises=SystemExit())})
    with pytest.raises(SystemExit):
        callback.on_job_start(config=config_of(tmp_path), task_function=len)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(callback.snapshot).result(timeout=10)["0"]["status"] == "running"


@pytest.mark.parametrize(
    ("callbacks", "parameter"),
    [
        ({"timer": {"level": "INFO"}}, "callbacks.timer"),
        ({"timer": 3}, "callbacks.timer"),
        (ThreadSafeCallback(), "callbacks"),
        ([ThreadSafeCallback()], "callbacks"),
    ],
)
def test_what_is_no_callback_is_refused(callbacks: Any, parameter: str) -> None:
    """A node without a target, and a callback without a name (a list in the defaults), fail as the callback is built."""
    with pytest.raises(ParameterError) as refused:
        ThreadSafeCallback(callbacks=callbacks)
    assert refused.value.parameter == parameter


def test_null_leaves_a_wrapped_callback_out(tmp_path: Path) -> None:
    """`callbacks.timer=null` on the command line drops one."""
    heard: list[str] = []
    callback = ThreadSafeCallback(callbacks=OmegaConf.create({"timer": None}))
    call_run(callback, config_of(tmp_path))
    call_run(ThreadSafeCallback(callbacks={"timer": None, "it": Listener(heard)}), config_of(tmp_path))
    assert len(heard) == 4
