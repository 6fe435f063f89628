"""The jobs that a sweep would run, as lines of text: what they share, what they vary, which of them say the same twice."""

from collections.abc import Mapping, Sequence

from hydra_callback_kit.journal.overrides import override_key
from hydra_callback_kit.views import wording
from hydra_callback_kit.views.plain_table import Column, plain_table


def job_list(jobs: Sequence[Sequence[str]], repeated: Mapping[int, int]) -> str:
    """Lists the jobs of a sweep.

    Args:
        jobs: each job's overrides, secrets redacted, in the order of the jobs' numbers.
        repeated: by number the jobs that repeat an earlier one, and which.

    Returns:
        A line with their count and what they all have; then a table with a column for each override that is not the same in
        all jobs, and, if there are any, one that marks duplicates.
    """
    texts = [{override_key(override): override for override in job} for job in jobs]
    keys = dict.fromkeys(key for job in texts for key in job)
    same = [key for key in keys if len({job.get(key) for job in texts}) == 1]
    of_all = " ".join(texts[0][key] for key in same)
    lines = [wording.jobs(len(jobs)) + (f"{', all with' if len(jobs) > 1 else ':'} {of_all}" if same else "")]
    if repeated:
        lines[0] += f"; {wording.jobs(len(repeated))} {'repeats' if len(repeated) == 1 else 'repeat'} an earlier one"
    columns = [
        Column("job", [str(job_num) for job_num in range(len(jobs))], right=True),
        *(Column(key, [_value(job.get(key)) for job in texts]) for key in keys if key not in same),
    ]
    if repeated:
        said = [f"repeats job {repeated[num]}" if num in repeated else "" for num in range(len(jobs))]
        columns.append(Column("duplicate", said))
    return "\n".join([*lines, *(plain_table(columns) if len(jobs) > 1 else [])])


def _value(override: str | None) -> str:
    if override is None:
        return ""
    _, equals, value = override.partition("=")
    return value if equals else override  # `~x` has no value
