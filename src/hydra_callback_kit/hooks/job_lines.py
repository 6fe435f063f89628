"""Lines of the journal that speak of a job: of the job itself, or of a rank that works for it, which may have to wait.

A rank belongs to the run of rank 0. As long as it does not know that run, its lines wait, at the latest until it ends.
"""

import os
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from omegaconf import DictConfig

from hydra_callback_kit.configs.identity import UNKNOWN, identify_job
from hydra_callback_kit.journal.at_exit import at_exit
from hydra_callback_kit.journal.safe_log import SafeLogger
from hydra_callback_kit.journal.writer import utc_now, write_line

_log = SafeLogger("hydra_callback_kit")

WAIT_S: Final = 2.0
"""How long a rank that ends waits for the run of rank 0."""


def write_job_line(
    config: DictConfig, event: str, facts: Mapping[str, Any], encoded: Mapping[str, Any] = MappingProxyType({})
) -> None:
    """Appends a line that speaks of a job. Never raises for what the disk does.

    Args:
        config: the config of a job's hook.
        event: `job_started`, `job_ended`, `job_requeued` or `job_facts`; of a rank it becomes `rank_started` and so on.
        facts: any values by name.
        encoded: more facts, as `encoder.to_json` has made them.
    """
    job = identify_job(config)
    if not job.rank:
        write_line(job.run, event, facts, job, encoded)
        return
    _waiting.append(_Line(os.getpid(), config, utc_now(), event.replace("job_", "rank_"), facts, encoded))
    _write_what_waits(config, WAIT_S if event == "job_ended" else 0)


def _write_what_waits(config: DictConfig, wait_s: float) -> None:
    until_s = time.monotonic() + wait_s
    job = identify_job(config)
    while job.run.run_id == UNKNOWN and time.monotonic() < until_s:
        time.sleep(0.02)
        job = identify_job(config)
    if job.run.run_id != UNKNOWN:
        for line in [line for line in _waiting if line.pid == os.getpid()]:
            write_line(job.run, line.event, line.facts, identify_job(line.config), line.encoded, line.time)
        _waiting.clear()


@at_exit
def _at_the_end() -> None:
    """Of a task that leaves by `sys.exit` no end hook tells on Hydra 1.3."""
    if _waiting and _waiting[-1].pid == os.getpid():
        _write_what_waits(_waiting[-1].config, WAIT_S)
        if _waiting:
            rank = identify_job(_waiting[-1].config).rank
            _log.error(
                "This process is rank %d by its environment, and the run of its rank 0 was not found: nothing of it is on "
                "record. If it is a job by itself, unset RANK, LOCAL_RANK and WORLD_SIZE, or what else says so.",
                rank,
            )


class _Line(NamedTuple):
    """A line that waits."""

    pid: int
    config: DictConfig
    time: str
    event: str
    facts: Mapping[str, Any]
    encoded: Mapping[str, Any]


_waiting: Final[list[_Line]] = []
"""The lines whose run is not known yet; a forked child has those of its parent, which are not its own to write."""
