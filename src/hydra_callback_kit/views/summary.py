"""The end of a run in words: what completed, and each job that did not, with its reason and its directory."""

import shlex

from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.journal.values import as_text
from hydra_callback_kit.views import wording


def run_summary(run: RunRecord) -> str:
    """Puts a run's end into words.

    Args:
        run: a single run or a sweep.

    Returns:
        One line, and up to three for each job that failed, was interrupted, still runs or left no record; of a sweep that
        was not aborted, how to run the rest of it; then the journal's broken lines.
    """
    what = "Sweep" if run.mode == "MULTIRUN" else "Run"
    lines = [f"{what} ended after {wording.duration(run.duration_s)}: {wording.status_counts(run)} (in {run.root})"]
    if "aborted" in run.facts:
        lines.append(f"  aborted: {as_text(run.facts['aborted']).partition(chr(10))[0]}")
    for job in unfinished(run):
        lines.append(f"  job {job.job_num} {wording.status_of(job)}: {wording.overrides(job.task_overrides)}")
        lines += [f"    {line}" for line in (reason(job), job.output_dir) if line]
    lost = wording.without_record(run)
    for num, overrides in lost.items():
        lines += [f"  job {num} {wording.without_record_yet(run)}: {wording.overrides(overrides)}"]
    startable = "aborted" not in run.facts and not run.facts.get("from_python")
    if run.mode == "MULTIRUN" and startable and (unfinished(run) or lost or wording.not_started(run)):
        missing = " --missing" if lost or wording.not_started(run) else ""
        lines.append(f"  to run what is left: hydra-callback-kit rerun {shlex.quote(str(run.root))}{missing}")
    lines += [f"  the journal has a line that cannot be read: {broken}" for broken in run.broken_lines]
    return "\n".join(lines)


def unfinished(run: RunRecord) -> list[JobRecord]:
    """The jobs that did not complete, and were not pruned."""
    return [job for job in run.jobs if job.status != "COMPLETED" and not job.pruned]


def reason(job: JobRecord) -> str:
    """Why a job did not complete, on one line; empty if it did or still runs."""
    if job.error is not None:
        return job.error.headline
    return (
        "it started and never reported its end: killed, stopped, or left by sys.exit" if job.status == "INTERRUPTED" else ""
    )
