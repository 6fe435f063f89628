"""The files in a job's directory that callbacks of this package have written, by the record."""

from collections.abc import Sequence

from hydra_callback_kit.hooks.own_files import FACT
from hydra_callback_kit.journal.records import JobRecord, RankRecord
from hydra_callback_kit.views.output import files_of_all_ranks


def written_by_all_ranks(job: JobRecord) -> list[str]:
    """Their names, relative to that directory; also of those that a job's other ranks have written.

    Args:
        job: the job.
    """
    records: Sequence[JobRecord | RankRecord] = (job, *job.ranks)
    own = [each.facts.get(FACT) for each in records]
    return [*(str(name) for names in own if isinstance(names, dict) for name in names), *files_of_all_ranks(job)]
