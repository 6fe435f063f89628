"""The jobs that a sweep had before it is started again: what was asked of each, and what it came to."""

import contextlib
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from hydra_callback_kit.configs.flat_config import flat_config
from hydra_callback_kit.configs.known_secrets import redaction_of
from hydra_callback_kit.journal.asked import EVENT, Asked, AskedJobs, Digests, digest_of
from hydra_callback_kit.journal.errors import NOT_LET_START
from hydra_callback_kit.journal.journal_lines import lines_with
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.launching.answering import can_be_given_back
from hydra_callback_kit.launching.matching import Earlier, What


class Wanted(NamedTuple):
    """What the user wants of a sweep that goes on.

    Attributes:
        ignore: keys that do not matter.
        skip: statuses of the jobs that are not run again.
        looks_at_values: whether somebody looks at what the jobs return.
    """

    ignore: Collection[str]
    skip: Collection[str]
    looks_at_values: bool


class Before:
    """The jobs of one earlier start of a sweep.

    Args:
        config: the config of `on_multirun_start`.
        record: what is on record of it.
        here: whether it is the sweep that goes on; else its jobs are taken over into another.

    Attributes:
        asked: what was asked of them.
        on_record: the same, as far as the journal says it; of the others their saved configs do.
        jobs: those that were started, by their numbers.
        record: what is on record.
        here: as given.
    """

    def __init__(self, config: DictConfig, record: RunRecord, *, here: bool) -> None:
        self.record = record
        self.here = here
        self.jobs = {job.job_num: job for job in record.jobs}
        self.asked, self.on_record = AskedJobs(), AskedJobs()
        lines = lines_with(record.root, record.run_id, f'"event":"{EVENT}"')
        for line in sorted(lines, key=lambda line: line["time"]):
            if line["event"] == EVENT:
                self.asked.add_facts(line["facts"])
                self.on_record.add_facts(line["facts"])
        redaction = redaction_of(config)
        for num, job in self.jobs.items():
            if num not in self.asked.jobs:
                saved = _saved_config(job, config.hydra.output_subdir)
                if saved is not None:
                    flat = flat_config(saved, redaction.keys, redaction.of_text)
                    name = digest_of(flat).hex()
                    self.asked.bases[name] = flat
                    self.asked.jobs[num] = Asked(name, {})

    @property
    def waiting(self) -> set[int]:
        """The numbers of the jobs that are in a queue, or may be, or that somebody else is about to start."""
        return {*self.record.queue.there, *self.record.queue.perhaps}

    def earlier(self, wanted: Wanted, is_left_out: Callable[[str], bool]) -> Iterator[Earlier]:
        """The jobs, as they are matched with those that are asked for now.

        Args:
            wanted: what the user wants.
            is_left_out: tells the keys that do not matter.
        """
        digests, waiting = Digests(self.asked, is_left_out), self.waiting
        for num in sorted({*self.jobs, *self.asked.jobs, *waiting}):
            job = self.jobs.get(num)
            what: What = "waits" if num in waiting else self._what(job, wanted)
            if self.here or what == "taken over":
                yield Earlier(num, digests.of(num), what, self.here, started=job is not None or what == "waits")

    def only_a_text(self, wanted: Wanted) -> set[int]:
        """The jobs that have completed, but of whose value only a text is on record, which cannot be given back."""
        return {
            num
            for num, job in self.jobs.items()
            if job.status == "COMPLETED" and job.status in wanted.skip and not _can_be_taken_over(job, wanted)
        }

    def _what(self, job: JobRecord | None, wanted: Wanted) -> What:
        if job is not None and job.status == "RUNNING":
            return "waits"
        is_done = job is not None and job.status in wanted.skip and _was_started(job) and _can_be_taken_over(job, wanted)
        return "taken over" if is_done else "again"


def _was_started(job: JobRecord) -> bool:
    """Whether its task function was called: a callback that refuses a job makes it `FAILED` as well."""
    return job.error is None or job.error.type not in NOT_LET_START


def _can_be_taken_over(job: JobRecord, wanted: Wanted) -> bool:
    return job.status != "COMPLETED" or not wanted.looks_at_values or can_be_given_back(job.return_value)


def _saved_config(job: JobRecord, subdir: Any) -> DictConfig | None:
    """The config that Hydra has saved as the job started, unresolved; None if it is not there."""
    if job.output_dir is None or not isinstance(subdir, str):
        return None
    file = Path(job.output_dir, subdir, "config.yaml")
    with contextlib.suppress(OSError, ValueError, yaml.YAMLError, OmegaConfBaseException, RecursionError):
        loaded = OmegaConf.load(file) if file.is_file() else None
        return loaded if isinstance(loaded, DictConfig) else None
    return None
