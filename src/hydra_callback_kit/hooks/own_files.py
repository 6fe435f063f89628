"""The files that callbacks write for people: what lies in their place and was not written by this package is kept."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from omegaconf import DictConfig

from hydra_callback_kit.configs.identity import identify_run
from hydra_callback_kit.journal.reader import facts_of_runs
from hydra_callback_kit.journal.safe_log import SafeLogger
from hydra_callback_kit.journal.writer import write_line
from hydra_callback_kit.views.files import set_aside

_FACT: Final = "files"


def remove_own_file(config: DictConfig, name: str) -> None:
    """Removes a file that an earlier run of ours left, if there is one; nobody else's.

    Args:
        config: the config of the run.
        name: the file, relative to the run's root.
    """
    root = identify_run(config).root
    if (root / name).is_file() and any(name in names for names in facts_of_runs(root, _FACT)):
        (root / name).unlink()


def prepare_files(config: DictConfig, names: Iterable[str | Path], log: SafeLogger) -> list[Path]:
    """Sets aside what no run of ours wrote, and records what this run is about to write.

    Args:
        config: the config of the run.
        names: the files that are going to be written, relative to the run's root or absolute.
        log: the callback's logger, which is told of files that are set aside.

    Returns:
        The files' paths.
    """
    run = identify_run(config)
    files = [run.root / name for name in names]
    strangers = {file for file in files if file.is_file()}
    if strangers:
        strangers -= {run.root / name for names in facts_of_runs(run.root, _FACT) for name in names}
    for file in sorted(strangers):
        log.warning("%s was not written by hydra-callback-kit: it is kept as %s", file, set_aside(file))
    written = [str(file.relative_to(run.root) if file.is_relative_to(run.root) else file) for file in files]
    write_line(run, "run_facts", {_FACT: written})
    return files
