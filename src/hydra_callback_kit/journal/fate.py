"""What has become of a run and of its jobs: who has ended, who lives, who waits, who is gone."""

from collections.abc import Collection
from pathlib import Path

from hydra_callback_kit.journal.format import Status
from hydra_callback_kit.journal.life import BatchId, Life, Lookout, batch_id, may_outlive
from hydra_callback_kit.journal.process import ProcessIdentity
from hydra_callback_kit.journal.queue import EMPTY, MAX_MISSING, Launched, Queue, queue_of
from hydra_callback_kit.journal.records import JobRecord
from hydra_callback_kit.journal.span import Span


class Fates:
    """What has become of a run and of its jobs.

    Args:
        run: what the lines of the run say.
        parent: the process that started it; None if it is not known: then the jobs decide.
        lookout: whom to ask for their processes.
        ended: whether the run has ended.
        at_its_end: whether the one who asks is its process, which ends it just now.
    """

    def __init__(
        self,
        run: Span,
        parent: ProcessIdentity | None,
        lookout: Lookout,
        *,
        ended: bool,
        at_its_end: bool,
    ) -> None:
        self._run = run
        self._parent = parent
        self._lookout = lookout
        self._ended = ended
        self._at_its_end = at_its_end
        self._bound = not may_outlive(run.facts)
        self._workers_live = False
        self._of_parent: Life | None = None
        self._batch = batch_id(run.facts, run.facts)
        if parent is not None and not ended:
            self._of_parent = lookout.life_of(parent, self._batch)

    def is_gone(self, process: ProcessIdentity, attempt: Span) -> bool:
        """Whether a process that works for an attempt at a job is known to be gone."""
        return self._life_of(process, attempt) == "gone"

    def lives(self, process: ProcessIdentity, attempt: Span) -> bool:
        """Whether it is known to live."""
        return self._life_of(process, attempt) == "lives"

    def _life_of(self, process: ProcessIdentity, attempt: Span) -> Life | None:
        return self._lookout.life_of(process, batch_id(attempt.facts, self._run.facts))

    @property
    def over(self) -> bool:
        """Whether its own process has ended it, or is known to be gone."""
        return self._ended or (self._parent is not None and self._of_parent == "gone")

    def of_job(self, attempt: Span) -> tuple[Status, Life | None]:
        """How a job stands that has no end on record, and what is known of it."""
        process, facts = attempt.process, attempt.facts
        if process is None:
            return "INTERRUPTED", "gone"
        batch = batch_id(facts, self._run.facts)
        life = self._lookout.life_of(process, batch, requeued=bool(facts.get("requeued")))
        if life == "gone":
            return ("RUNNING", "waits") if self._comes_to_it_again(batch) else ("INTERRUPTED", life)
        # a job that is run again outlives the run it belongs to
        if not facts.get("rerun") and self.over:
            in_parent = process == (self._parent or self._run.process) and life != "waits"
            if in_parent or (self._bound and (life is None or self._at_its_end)):
                return "INTERRUPTED", life
            self._workers_live = self._workers_live or life == "lives"
        return "RUNNING", life

    def _comes_to_it_again(self, earlier: BatchId | None) -> bool:
        """Whether the run's process may live that the batch system has started since, and that starts all jobs again."""
        now = self._batch
        if earlier is None or now is None or self.over or self._parent is None:
            return False
        known = earlier.restarts is not None and now.restarts is not None
        return known and earlier.job == now.job and (earlier.restarts or 0) < (now.restarts or 0)

    def queue(
        self,
        jobs: Collection[JobRecord],
        planned: int | None,
        root: Path,
        returned: Collection[int],
        handed_on: Collection[int],
    ) -> Queue:
        """The jobs that may come without anybody to launch them.

        Args:
            jobs: the jobs that have started.
            planned: how many there were going to be; None if that is not known.
            root: the run's directory.
            returned: the numbers of those that the launcher is done with.
            handed_on: the numbers of those that were handed on since: of them it is known otherwise.
        """
        if not self.over:
            return EMPTY
        if self._bound:
            # joblib's workers, where the sweep's process was killed, start the jobs that it had given them already
            if not self._workers_live:
                return EMPTY
            missing = frozenset(range(min(planned or 0, MAX_MISSING)))
            return Queue(perhaps=missing.difference(job.job_num for job in jobs))
        run, ids = (
            self._run,
            {
                **dict.fromkeys(returned),
                **{job.job_num: job.first_job_id or job.job_id for job in jobs},
                **dict.fromkeys(handed_on),
            },
        )
        batches = (batch_id(job.facts, run.facts) for job in jobs)
        cluster = next((batch.cluster for batch in batches if batch and batch.cluster), None)
        return queue_of(Launched(run.facts, ids, planned, run.started_at, cluster, self._ended), root, self._lookout)

    def status(self, jobs: Collection[JobRecord], planned: int | None, queue: Queue) -> Status:
        """How the run stands."""
        run, statuses = self._run, {job.status for job in jobs}
        expected = run.get("expected_jobs", int)
        if "FAILED" in statuses and expected is not None and len(jobs) >= expected:
            # a search that has come to its end has given up what was pruned on purpose
            statuses = {"COMPLETED" if job.pruned else job.status for job in jobs}
        # what the run's own process left undone, jobs that were run again may have done
        whole = len(jobs) >= planned if planned is not None else bool(jobs) and run.get("mode", str) == "RUN"
        if "RUNNING" in statuses or any(queue):
            return "RUNNING"
        done = self.over or (self._parent is not None and self._of_parent is None)  # it may be gone for long
        if done and whole and statuses and statuses <= {"COMPLETED", "FAILED"}:
            return "FAILED" if "FAILED" in statuses else "COMPLETED"
        if not self.over and run.started_at is not None:
            return "RUNNING"
        if "aborted" in run.facts and not jobs:
            return "FAILED"
        if statuses == {"COMPLETED"} and (whole or (planned is None and run.ended_at is not None)):
            return "COMPLETED"
        ended = run.ended_at is not None or run.get("mode", str) == "RUN"  # its one job is all that it is
        return "FAILED" if "FAILED" in statuses and ended else "INTERRUPTED"

    def silent_since(self, jobs: Collection[JobRecord], queue: Queue) -> str | None:
        """When a run was last heard of that is RUNNING because nobody knows better; None if somebody does."""
        running = [job for job in jobs if job.status == "RUNNING"]
        if self._of_parent in ("lives", "waits") or queue.there or any(job.silent_since is None for job in running):
            return None
        return max(filter(None, (self._run.last_said(), *(job.silent_since for job in running))), default=None)
