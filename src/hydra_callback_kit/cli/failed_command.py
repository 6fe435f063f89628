"""`hydra-callback-kit failed`: what did not complete, and why."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click

from hydra_callback_kit.cli import screen
from hydra_callback_kit.cli.below import NothingToShowError
from hydra_callback_kit.cli.target import (
    assume_gone_option,
    json_option,
    latest_runs,
    path_argument,
    run_option,
    the_run,
)
from hydra_callback_kit.journal.format import JOURNAL_DIR
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.journal.values import as_text
from hydra_callback_kit.views import silence, wording
from hydra_callback_kit.views.launcher_logs import Left, left_of
from hydra_callback_kit.views.output import Output, outputs_of
from hydra_callback_kit.views.results import nested_row
from hydra_callback_kit.views.run import failed_jobs
from hydra_callback_kit.views.summary import reason

SHOWN_LINES: Final = 10
"""The last lines of a job's output that are printed unless all are asked for."""


@click.command("failed")
@path_argument
@run_option
@click.option("--traceback", is_flag=True, help="Print each failed job's traceback.")
@click.option("--output", is_flag=True, help="Print all last lines of each job's output that are on record.")
@assume_gone_option
@json_option
def command(*, path: Path, run_id: str | None, traceback: bool, output: bool, assume_gone: bool, as_json: bool) -> None:
    """Name what failed or was interrupted, and why.

    Of each job its number, overrides, error, output directory and the logs of the launcher, relative to the sweep directory;
    why Slurm has ended it, where that is known; and how its output ends, where output_capture_callback was on. Trials that
    a search has pruned are named on one line. Below a folder that holds several runs, those of each directory's latest run.
    """
    runs = latest_runs(path, assume_gone=assume_gone) if run_id is None else [the_run(path, run_id, assume_gone=assume_gone)]
    found = [(run, job) for run in runs for job in failed_jobs(run)]
    aborted = [run for run in runs if "aborted" in run.facts]
    lost = [run for run in runs if _lost(run)]
    for run in runs:
        screen.print_warnings(run)
        if silence.of_run(run):
            screen.say(f"{run.root} {run.status}: {silence.of_run(run)}. {silence.ASSUME_GONE}", err=True)
    if as_json:
        screen.print_json([row for run in runs for row in _rows(run)])
    if not found and not aborted and not lost:
        looked_at = "; ".join(f"{wording.status_counts(run)} in {run.root}" for run in runs[:10])
        raise NothingToShowError(f"No job failed or was interrupted: {looked_at}")
    for run in () if as_json else runs:
        _print_run(run, named=len(runs) > 1, traceback=traceback, output=output)


def _print_run(run: RunRecord, *, named: bool, traceback: bool, output: bool) -> None:
    jobs = [job for job in failed_jobs(run) if not job.pruned]
    pruned = [job.job_num for job in run.jobs if job.pruned]
    aborted = "aborted" in run.facts
    if named and (jobs or pruned or aborted or _lost(run)):
        screen.say(screen.Styled(str(run.root), bold=True))
    if aborted:
        screen.print_reason(as_text(run.facts["aborted"]))
    left = left_of(run, jobs)
    for job in jobs:
        _print(job, left[job.job_num], traceback=traceback)
        for captured in outputs_of(job, run.facts.get("secret_keys")):
            _print_output(captured, None if output else SHOWN_LINES)
    if pruned:
        was = "was" if len(pruned) == 1 else "were"
        screen.say(f"{wording.named_jobs(pruned)} {was} ", screen.Styled(wording.PRUNED, screen.COLOURS[wording.PRUNED]))
    if _lost(run):
        _print_lost(run)


def _rows(run: RunRecord) -> Iterator[dict[str, Any]]:
    jobs = failed_jobs(run)
    left = left_of(run, jobs)
    for job in jobs:
        logs, state, said = left[job.job_num]
        of_launcher = {"launcher_logs": list(logs), "batch_state": state or None, "batch_said": said or None}
        outputs = {output.name: output.text for output in outputs_of(job, run.facts.get("secret_keys"))}
        ends = {"output_ends": outputs} if outputs else {}
        yield {"run_id": run.run_id, **nested_row(job, include_config=False), **of_launcher, **ends}


def _print(job: JobRecord, left: Left, *, traceback: bool) -> None:
    status = screen.Styled(job.status, screen.COLOURS[job.status])
    screen.say(f"job {job.job_num} ", status, f": {wording.overrides(job.task_overrides)}")
    screen.say(f"  {reason(job)}")
    for number, earlier in enumerate(job.earlier, start=1):
        why = earlier.error.headline if earlier.error else earlier.status
        screen.say(f"  attempt {number} ({wording.overrides(earlier.task_overrides)}): {why}")
    if left.state:
        screen.say(f"  Slurm says: {left.state}")
    if left.said:
        screen.say(f"  Slurm wrote: {left.said}")
    if job.output_dir is not None:
        screen.say("  ", screen.Styled(str(job.output_dir), dim=True))
    if left.logs:
        screen.say("  ", screen.Styled(f"logs of the launcher: {', '.join(left.logs)}", dim=True))
    if traceback and job.error is not None:
        screen.say_lines(job.error.traceback.rstrip(), "    ")
        screen.say()


def _print_output(captured: Output, most: int | None) -> None:
    lines = captured.text.split("\n")
    shown = lines if most is None else lines[-most:]
    more = len(lines) - len(shown)
    screen.say("  ", screen.Styled(f"{captured.name} ends{f' (--output prints {more} more)' if more else ''}:", dim=True))
    screen.say_lines("\n".join(shown), "    ")


def _lost(run: RunRecord) -> dict[int, tuple[str, ...]]:
    return {} if run.status == "RUNNING" else wording.without_record(run)


def _print_lost(run: RunRecord) -> None:
    for num, overrides in _lost(run).items():
        what = screen.Styled(wording.without_record_yet(run), screen.COLOURS["INTERRUPTED"])
        screen.say(f"job {num} ", what, f": {wording.overrides(overrides)}")
    launcher = as_text(run.facts.get("launcher") or "?")
    screen.say(
        f"  It was handed to the launcher ({launcher}) and did not come back: it waited for a worker, was killed, or ran "
        f"where this directory is not shared. There its record is in {run.root / JOURNAL_DIR}: files that are copied from "
        "there to here are read with the others."
    )
