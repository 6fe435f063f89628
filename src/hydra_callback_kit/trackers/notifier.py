"""The process that tells people of a run: it follows the journal beside the run, and outlives it by one message.

Where jobs or ranks of it go on, it outlives it by another one, if they come to another end than was told.

A process of its own costs the jobs nothing, hangs for nobody, and is still there when the run's process is killed. Its stdin
tells it what to do, and on its stdout it says what could not be sent. `notifier_process` starts it.
"""

import contextlib
import json
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from hydra_callback_kit.journal.batch_system import Slurm
from hydra_callback_kit.journal.errors import NOT_LET_START
from hydra_callback_kit.journal.follower import FollowedJob, RunFollower
from hydra_callback_kit.journal.format import CONFIGS
from hydra_callback_kit.journal.life import HERE, Sight, launcher_of
from hydra_callback_kit.journal.process import ProcessIdentity, is_alive
from hydra_callback_kit.journal.reader import read_run
from hydra_callback_kit.journal.records import RunRecord
from hydra_callback_kit.launching.retry_rule import is_worth_it
from hydra_callback_kit.trackers import apprise_library
from hydra_callback_kit.trackers.errand import Errand
from hydra_callback_kit.trackers.going_on import goes_on, goes_on_here, how_it_went
from hydra_callback_kit.views.message import Message, fields_of, message_of, was_not_let_start, what_failed

_LOOK_S: Final = 1.0
"""How often the journal is looked at; less often where a look takes long."""
_SOONER: Final = 0.9
"""The share of the time limit that a service has: who waits for the process is to hear which of them was late."""
_SHARE: Final = 20
"""So many times longer than a look takes is the pause after it."""

_SETTLES_WITHIN_S: Final = 1.5
"""How long jobs that were interrupted with the run may take to say so, before people are told."""
_ELSEWHERE_FOR_S: Final = 120.0
"""How long what goes on elsewhere is looked at: Slurm takes that long to end what it was told to end."""
_ASKS_EVERY_S: Final = 5.0

KILLED: Final = "It started and never reported its end: killed, stopped, or left by sys.exit"


class Notifier:
    """Follows a run and tells people of it.

    Args:
        errand: what it is to do.
        told: the lines that the run's process sends; None when it sends no more.
    """

    def __init__(self, errand: Errand, told: "queue.Queue[str | None]") -> None:
        self._errand = errand
        self._told = told
        self._process = ProcessIdentity(*errand.process)
        self._follower = RunFollower(Path(errand.root), errand.run_id)
        self._taken: list[int] = []
        self._failed: set[int] = set()
        self._known: dict[tuple[int, str], None] = {}  # in the order in which they were seen
        self._unsaid: list[tuple[int, str]] = []
        self._has_said = False
        self._may_say_at_s = 0.0
        # a run that has nothing to say does not wait for Apprise to be loaded
        self._check = threading.Thread(target=self._check_urls, daemon=True)

    def run(self) -> None:
        """Until the run has ended, or its process is gone."""
        self._check.start()
        pause_s = 0.0
        while not self._is_over(max(pause_s, min(_LOOK_S, self._errand.min_interval_s))):
            started_s = time.monotonic()
            if self._errand.is_sweep and not {"failure", "first_failure"}.isdisjoint(self._errand.events):
                self._look()
                self._tell_of_failures()
            pause_s = _SHARE * (time.monotonic() - started_s)

    def _check_urls(self) -> None:
        for place, url in enumerate(self._errand.urls):
            why_not = apprise_library.refused(url)
            if why_not is None:
                self._taken.append(place)
            else:
                self._answer(place, f"Apprise does not take it: {why_not}")

    def _is_over(self, pause_s: float) -> bool:
        try:
            line = self._told.get(timeout=pause_s)
        except queue.Empty:
            line = ""
        has_ended = bool(line)
        if not has_ended and is_alive(self._process) is not False:
            return False
        self._look()
        self._tell_of_the_end(lost=not has_ended)
        return True

    def _look(self) -> None:
        """Finds the jobs that have failed since the last look, for good."""
        with contextlib.suppress(OSError):  # what can be read of the journal counts
            self._follower.look()
        jobs = self._follower.jobs()
        for job in sorted((*jobs["FAILED"], *jobs["INTERRUPTED"]), key=lambda job: job.ended_at or job.started_at):
            attempt = job.job_num, job.started_at
            if attempt not in self._known and job.started_at >= self._errand.since and self._is_a_failure(job):
                self._known[attempt] = None
                why = ": ".join(filter(None, (job.error[0], job.error[1].partition("\n")[0]))) if job.error else KILLED
                self._unsaid.append((job.job_num, what_failed(job.job_num, job.overrides, why)))

    def _is_a_failure(self, job: FollowedJob) -> bool:
        if job.pruned or (job.error is not None and job.error[0] in NOT_LET_START):
            return False
        return job.number > self._errand.retries or not is_worth_it(job.kinds, self._errand.retried)

    def _tell_of_failures(self) -> None:
        if not self._unsaid or time.monotonic() < self._may_say_at_s:
            return
        self._may_say_at_s = time.monotonic() + self._errand.min_interval_s
        try:
            if "failure" in self._errand.events:
                self._send("failure", self._unsaid)
            elif not self._has_said:
                self._send("first_failure", self._unsaid[:1])
        except Exception:  # noqa: BLE001  the journal is not to be read now: then with the next message
            return
        self._has_said = True
        self._unsaid = []

    def _tell_of_the_end(self, *, lost: bool) -> None:
        try:
            run = self._settled(has_ended=not lost)
        except Exception as error:  # noqa: BLE001  whatever has become of the journal, people wait for a word
            if not lost:  # one that was refused has left no record
                body = f"Its record cannot be read: {type(error).__name__}\n{self._errand.root}"
                self._deliver(
                    Message(f"{self._errand.app}: {'sweep' if self._errand.is_sweep else 'run'} ended", body, "info")
                )
            return
        if not run.jobs and "aborted" in run.facts:
            return  # whoever has typed it has read why
        self._say_the_end(run, lost=lost)
        if goes_on(run):
            _hang_up()
            after = self._when_all_is_over(run, has_ended=not lost)
            if after.status not in ("RUNNING", run.status):
                self._look()
                self._say_the_end(after, lost=lost)

    def _settled(self, *, has_ended: bool) -> RunRecord:
        until_s = time.monotonic() + min(_SETTLES_WITHIN_S, self._errand.timeout_s / 4)
        while (run := self._record(has_ended=has_ended, asks=True)).status == "RUNNING" and time.monotonic() < until_s:
            time.sleep(_SETTLES_WITHIN_S / 5)
        return run

    def _when_all_is_over(self, run: RunRecord, *, has_ended: bool) -> RunRecord:
        """Waits for what runs on this machine, and for a while for what does not."""
        until_s = time.monotonic() + _ELSEWHERE_FOR_S
        while goes_on(run) and ((here := goes_on_here(run)) or time.monotonic() < until_s):
            time.sleep(_LOOK_S if here else _ASKS_EVERY_S)
            started_s = time.monotonic()
            with contextlib.suppress(Exception):  # the directory may be gone
                run = self._record(has_ended=has_ended, asks=True)
            time.sleep(_SHARE * (time.monotonic() - started_s))
        return run

    def _say_the_end(self, run: RunRecord, *, lost: bool) -> None:
        words = [f"its process (pid {self._process.pid}) {how_it_went(run)}"] if lost else []
        if run.status == "RUNNING":
            words += [*([] if lost else ["its command has ended"]), f"{'jobs' if self._errand.is_sweep else 'ranks'} go on"]
        stopped = lost or run.status == "INTERRUPTED" or "aborted" in run.facts or any(map(was_not_let_start, run.jobs))
        stopped = stopped or (run.status == "RUNNING" and launcher_of(run.facts) != "rq")  # that one waits for no job
        news = "failure" in self._errand.events or ("first_failure" in self._errand.events and not self._has_said)
        event = "abort" if stopped and "abort" in self._errand.events else "end"
        if event in self._errand.events or (self._unsaid and news):
            self._failed.clear()
            self._send(event, self._unsaid, ", and ".join(words), run)
        self._unsaid = []

    def _record(self, *, has_ended: bool, asks: bool = False) -> RunRecord:
        sight = Sight(batch_system=Slurm()) if asks else HERE  # what was launched may be on other machines
        return read_run(Path(self._errand.root), self._errand.run_id, without=CONFIGS, has_ended=has_ended, sight=sight)

    def _send(self, event: str, failed: list[tuple[int, str]], lost: str = "", run: RunRecord | None = None) -> None:
        seen = [job_num for job_num, _ in self._known]
        fields = fields_of(run or self._record(has_ended=False), event, failed, lost, seen)
        self._deliver(message_of(fields, len(failed), self._errand.template))

    def _deliver(self, message: Message) -> None:
        """Sends a message; who does not take it is not asked again before the end."""
        self._check.join()
        places = [place for place in self._taken if place not in self._failed]
        urls = [self._errand.urls[place] for place in places]
        answers = apprise_library.send(urls, message, self._errand.timeout_s * _SOONER)
        for place, why_not in zip(places, answers, strict=True):
            if why_not is not None:
                self._failed.add(place)
                self._answer(place, why_not)

    def _answer(self, place: int, why_not: str) -> None:
        _say({"url": f"urls[{place}] ({apprise_library.named(self._errand.urls[place])})", "why_not": why_not})


def _hang_up() -> None:
    """The run's process waits no longer."""
    with contextlib.suppress(OSError), Path(os.devnull).open("wb") as nothing:
        os.dup2(nothing.fileno(), sys.stdout.fileno())


def _say(answer: Mapping[str, Any]) -> None:
    with contextlib.suppress(OSError):  # nobody listens any more
        os.write(sys.stdout.fileno(), json.dumps(answer).encode("ascii") + b"\n")


def _listen(told: "queue.Queue[str | None]") -> None:
    for line in sys.stdin:
        told.put(line)


def main() -> None:
    """Does what the first line on stdin says, and ends with whatever still hangs."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # what ends the run is no reason not to tell of it
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    try:
        errand = Errand(**json.loads(sys.stdin.readline()))
        told: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=_listen, args=(told,), daemon=True).start()
        Notifier(errand, told).run()
    except Exception as error:  # noqa: BLE001  the run's process says it
        _say({"url": "The end", "why_not": f"{type(error).__name__}: {error}"})
    os._exit(0)
