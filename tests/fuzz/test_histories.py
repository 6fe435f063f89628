"""Whatever happens to a run's processes, and in whatever order their lines are met: the record says what can be known."""

import random
import shutil
import tempfile
from pathlib import Path
from typing import Any

from histories import RUN_ID, SLURM, Doing, History
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from outlook import Eyes, Outlook, told

from hydra_callback_kit.journal.fold import RunFold
from hydra_callback_kit.journal.follower import RunFollower
from hydra_callback_kit.journal.life import Sight
from hydra_callback_kit.journal.line import parse_line
from hydra_callback_kit.journal.reader import read_run

NUMBERS = st.integers(0, 3)
CHOICES = st.integers(0, 99)
SKEWS = st.sampled_from([0, 0, -300, 300])
FACTS = st.dictionaries(st.sampled_from(["x", "y", "z"]), st.integers(-2, 12) | st.sampled_from(["", "a", "b"]), min_size=1)
WORK = st.lists(
    st.tuples(st.just("start"), CHOICES, SKEWS, NUMBERS, st.sampled_from([set(), {1}, {1, 2}]))
    | st.tuples(st.just("say"), CHOICES, FACTS, st.booleans())
    | st.tuples(st.just("end"), CHOICES, st.sampled_from(["COMPLETED", "FAILED", "INTERRUPTED"]), NUMBERS),
    min_size=1,
    max_size=6,
)
LAUNCHERS = st.sampled_from(["", "basic", "script", "joblib", "rq", SLURM])


class Histories(RuleBasedStateMachine):
    """A run and all that may happen to it; looked at after each step."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())

    def teardown(self) -> None:
        """Nothing is left of it."""
        shutil.rmtree(self.root)

    @initialize(launcher=LAUNCHERS, planned=st.none() | st.integers(1, 4), aborts=CHOICES, todo=WORK)
    def run_starts(self, launcher: str, planned: int | None, aborts: int, todo: list[tuple[Any, ...]]) -> None:
        """Somebody starts the app, which works, or is aborted before its first job."""
        self.history = History(self.root, launcher, planned if launcher else None)
        self.history.start_run()
        self.follower = RunFollower(self.root, RUN_ID)
        if aborts % 10 == 1:
            self.history.facts["aborted"] = "by a test"
            self.history.write(self.history.parent, "run_facts", {"aborted": "by a test"})
        else:
            self.work_is_done(todo)

    def doings(self, *, only_jobs: bool = False) -> list[tuple[int, int, Doing]]:
        """What goes on: jobs, and ranks that work for them."""
        last = [(num, 0, attempts[-1]) for num, attempts in self.history.jobs.items()]
        ranks = [(num, number, rank) for num, _, job in last for number, rank in job.ranks.items()]
        return [each for each in (last if only_jobs else last + ranks) if each[2].goes_on]

    def parent_acts(self) -> bool:
        """Whether the run's process lives and has not ended it."""
        return self.history.parent.lives and not self.history.has_ended

    def rests(self, num: int) -> bool:
        """Whether nobody works at a job."""
        return not any(at == num for at, *_ in self.doings())

    def startable(self) -> list[int]:
        """The jobs that may be started, for the first time or again."""
        history = self.history
        if not self.parent_acts() and history.launcher not in ("rq", SLURM):
            return []
        tasks = {num: history.task_of(num) for num in range((history.planned or 4) if history.launcher else 1)}
        return [num for num, task in tasks.items() if self.rests(num) and (task is None or task.state != "gone")]

    @rule(todo=WORK)
    def work_is_done(self, todo: list[tuple[Any, ...]]) -> None:
        """Jobs start, say something and end, one after another; and so do the ranks that work for them."""
        for what, *drawn in todo:
            {"start": self.job_starts, "say": self.something_is_said, "end": self.something_ends}[what](*drawn)

    @rule(todo=WORK)
    def more_work_is_done(self, todo: list[tuple[Any, ...]]) -> None:
        """The same: most rules disturb it, and all are drawn equally often."""
        self.work_is_done(todo)

    def job_starts(self, which: int, skew: int, x: int, ranks: set[int]) -> None:
        """In the run's process or in one of its own; and ranks that work for it."""
        history, startable = self.history, self.startable()
        if startable:
            num = chosen(startable, which)
            process = history.parent if history.runs_in_the_parent() else history.new_process(skew, history.task_of(num))
            history.start_job(num, process, f"x={x}", distributed=bool(ranks))
            for rank in ranks:
                history.start_rank(num, rank, -skew)

    def something_is_said(self, which: int, facts: dict[str, Any], at_once: bool) -> None:
        """Facts are added, or stated again, perhaps at the very time of the last ones."""
        if self.doings():
            num, rank, doing = chosen(self.doings(), which)
            time = self.history.say(num, "facts", facts, process=doing.process, rank=rank, at_once=at_once)
            doing.states(time, facts)

    def something_ends(self, which: int, status: str, value: int) -> None:
        """By itself; a task of Slurm's ends with it."""
        if self.doings():
            num, rank, doing = chosen(self.doings(), which)
            returned = {"return_value": value} if status == "COMPLETED" and not rank else {}
            self.history.end(num, rank, status, duration_s=value + 0.5, **returned)
            task = doing.process.task
            if task is not None and task.own and not rank:
                doing.process.lives, task.state = False, "gone"

    @precondition(lambda self: self.history.launcher == SLURM and self.doings(only_jobs=True))
    @rule(which=CHOICES)
    def job_is_about_to_wait_again(self, which: int) -> None:
        """It says that it is put back into the queue."""
        num, _, job = chosen(self.doings(only_jobs=True), which)
        if not job.rerun and not job.requeued:
            job.requeued = True
            job.spoke_at = self.history.say(num, "requeued", {"requeued": True}, process=job.process)

    @precondition(lambda self: self.history.tasks)
    @rule(which=CHOICES, then=st.sampled_from(["started", "cancelled", "put back", "started again"]))
    def slurm_acts(self, which: int, then: str) -> None:
        """It starts a task that waits, cancels one, or puts one back into its queue and perhaps starts it again at once."""
        history = self.history
        task = chosen(list(history.tasks.values()), which)
        if then == "started":
            task.state = "runs" if task.state == "waits" else task.state
        elif then == "cancelled" or task.state == "runs":
            task.restarts += then != "cancelled"
            task.state = {"cancelled": "gone", "put back": "waits", "started again": "runs"}[then]
            for process in history.processes:
                process.lives &= process.task is not task
            if then == "started again" and not task.own:
                history.start_run()

    @precondition(lambda self: self.history.jobs)
    @rule(which=CHOICES, how=st.sampled_from(["unseen", "killed", "crashed"]))
    def process_is_gone(self, which: int, how: str) -> None:
        """It is killed, which Slurm notices at once or not yet; or nobody can look at its machine, or all can again."""
        process = chosen(self.history.processes, which)
        if how == "unseen":
            process.seen = not process.seen
            return
        process.lives = False
        if process.task is not None and process.task.restarts == process.restarts and how == "killed":
            process.task.state = "gone"

    @precondition(lambda self: not self.history.parent.lives)
    @rule()
    def run_starts_again(self) -> None:
        """By a batch system, say."""
        task = self.history.parent.task
        if task is None or task.state != "gone":
            self.history.start_run()

    @precondition(lambda self: self.parent_acts() and self.history.jobs)
    @rule(duration_s=NUMBERS)
    def run_ends(self, duration_s: int) -> None:
        """Its process says so."""
        self.history.end_run(duration_s + 0.5)

    @precondition(lambda self: self.parent_acts() and self.history.launcher in ("joblib", "rq"))
    @rule(nums=st.sets(NUMBERS, min_size=1), x=NUMBERS, back=st.booleans())
    def launcher_is_called(self, nums: set[int], x: int, back: bool) -> None:
        """It is given jobs, or is done with some."""
        history = self.history
        given = {num: [f"x={x}"] for num in sorted(nums) if history.planned is None or num < history.planned}
        if not back:
            history.write(history.parent, "jobs_launched", {"launched": given})
            history.launched |= given
            history.returned -= given.keys()
        else:
            done = sorted(given.keys() & history.launched.keys())
            history.write(history.parent, "jobs_returned", {"returned": done})
            history.returned |= set(done)

    @precondition(lambda self: self.history.jobs)
    @rule(num=NUMBERS, x=NUMBERS, skew=SKEWS, hands_on=st.booleans())
    def job_is_run_again(self, num: int, x: int, skew: int, hands_on: bool) -> None:
        """By `rerun`, which starts it or hands it on."""
        history = self.history
        if num in history.jobs and self.rests(num):
            process, after = history.new_process(skew), len(history.jobs[num])
            if hands_on:
                history.write(process, "jobs_handed_on", {"jobs": [[num, after]], "after": 0})
                history.handed_on.append((num, after, process))
            else:
                history.start_job(num, process, f"x={x}", distributed=False, rerun=True)

    @invariant()
    def lines_tell_it_in_any_order(self) -> None:
        """Those of a process came one after another, but who reads them may meet them in any way."""
        self.look([*reversed(self.history.lines)], Eyes())

    @rule(seed=CHOICES, assume_gone=st.booleans(), at_its_end=st.booleans(), again=st.lists(CHOICES, max_size=5))
    def somebody_looks(self, seed: int, assume_gone: bool, at_its_end: bool, again: list[int]) -> None:
        """Who knows more, at lines that are there twice."""
        lines = [*self.history.lines, *(chosen(self.history.lines, which) for which in again)]
        random.Random(seed).shuffle(lines)  # noqa: S311  a test's order needs no secrecy
        self.look(lines, Eyes(assume_gone, at_its_end and self.parent_acts() and self.history.parent.seen))

    def look(self, lines: list[bytes], eyes: Eyes) -> None:
        """Compares what the lines say with what can be known."""
        fold = RunFold(RUN_ID)
        for line in lines:
            fold.add(parse_line(line))
        sight = Sight(self.history.is_alive, self.history, eyes.assume_gone)
        record = fold.record(self.root, (), sight, has_ended=eyes.at_its_end)
        assert told(record) == Outlook(self.history, eyes).told()

    @rule(torn=st.booleans())
    def files_are_read(self, torn: bool) -> None:
        """Each process's own, the last of which may have half a line; who follows them has the same jobs."""
        file = max((self.root / ".callbacks").iterdir())
        whole = file.read_bytes()
        file.write_bytes(whole + b'{"v":1,"time":' * torn)
        sight = Sight(self.history.is_alive, self.history)
        assert told(read_run(self.root, sight=sight)) == Outlook(self.history, Eyes()).told()
        self.follower.look()
        followed = {job.job_num: (job.number, job.status) for jobs in self.follower.jobs().values() for job in jobs}
        assert followed == {num: (len(attempts), attempts[-1].status) for num, attempts in self.history.jobs.items()}
        file.write_bytes(whole)


def chosen(among: list[Any], which: int) -> Any:
    """One of them."""
    return among[which % len(among)]


TestHistories = Histories.TestCase
TestHistories.settings = settings(stateful_step_count=25)
