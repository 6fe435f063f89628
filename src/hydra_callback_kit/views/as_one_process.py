"""Commands that start one process where a job ran as several, and what starts it as it was."""

from collections.abc import Sequence

from hydra_callback_kit.journal.life import launcher_of
from hydra_callback_kit.journal.records import RunRecord
from hydra_callback_kit.views.commands import Command, words_of


def why_not_as_it_was(run: RunRecord, command: Command) -> str:
    """Tells what a command does not do that starts one process of a job that ran as several.

    The commands of torchrun and the like start all of them, where the record has them; a job that starts its other ranks
    itself, as Lightning does it, starts them again.

    Args:
        run: the run.
        command: one that runs jobs of it.

    Returns:
        What to do; an empty text where the command starts the job as it was.
    """
    if words_of(run.facts.get("rank_launcher")):
        return ""
    by_submitit = run.mode == "MULTIRUN" and launcher_of(run.facts) in ("submitit_local", "submitit_slurm")
    if by_submitit and "hydra.mode=MULTIRUN" in command.words:
        return ""
    ranks = _ranks(run, command.job_nums)
    if not ranks:
        return ""
    instead = (
        "--launcher starts it as it was"
        if by_submitit
        else "start the line once for each rank, as the run was started (srun -n, mpirun -n, a loop of the shell)"
    )
    return f"{command.what} ran as {ranks} ranks, and this command starts one process: {instead}"


def _ranks(run: RunRecord, job_nums: Sequence[int]) -> int:
    """How many the jobs had; one that never started would have had as many as the others."""
    sizes = {job.job_num: job.world_size or 0 if job.is_rank else 0 for job in run.jobs}
    return max([sizes.get(num, max(sizes.values(), default=0)) for num in job_nums], default=0)
