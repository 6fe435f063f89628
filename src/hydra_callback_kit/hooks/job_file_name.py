"""What the file is called that a callback writes for a job: no other job and no other rank of it writes to the same one."""

from pathlib import Path

from omegaconf import DictConfig

from hydra_callback_kit.configs.directories import is_shared
from hydra_callback_kit.configs.identity import identify_job


def job_file_name(config: DictConfig, name: str) -> str:
    """Puts the job's number into a file's name where jobs would share it, and that of a rank.

    Args:
        config: the config of a job's hook.
        name: relative to the job's output directory, or absolute.

    Returns:
        `resources.csv`, `resources_3.csv`, `resources_rank1.csv` or `resources_3_rank1.csv`.
    """
    job = identify_job(config)
    if is_shared(config, name):
        name = _with(name, str(job.job_num))
    return _with(name, f"rank{job.rank}") if job.rank else name


def _with(name: str, word: str) -> str:
    """A word before the suffix."""
    return str(Path(name).with_stem(f"{Path(name).stem}_{word}"))
