"""Earlier sweeps of the app that is started: in the same directory, or beside it."""

from pathlib import Path

from omegaconf import DictConfig

from hydra_callback_kit.journal.command_line import app_words, command_line
from hydra_callback_kit.journal.finder import run_directories
from hydra_callback_kit.journal.format import CONFIGS
from hydra_callback_kit.journal.identity import RunIdentity
from hydra_callback_kit.journal.life import Sight
from hydra_callback_kit.journal.reader import read_run, run_ids
from hydra_callback_kit.journal.records import RunRecord
from hydra_callback_kit.journal.values import as_text
from hydra_callback_kit.views.latest_link import link_directory


def latest_sweep(config: DictConfig, root: Path, sight: Sight) -> RunRecord | None:
    """The latest sweep of this app in a directory.

    Args:
        config: the config of `on_multirun_start`.
        root: the directory.
        sight: what can be found out about processes.

    Raises:
        OSError: if the journal's directory cannot be read.
    """
    for run_id in reversed(run_ids(root)):
        record = read_run(root, run_id, without=CONFIGS, sight=sight)
        if record.mode == "MULTIRUN" and _is_of_this_app(config, record):
            return record
    return None


def newest_sweep(config: DictConfig, root: Path, sight: Sight) -> RunRecord | None:
    """The newest sweep of this app below the part of `hydra.sweep.dir` that does not change from start to start.

    Args:
        config: the config of `on_multirun_start`.
        root: the directory of the sweep that starts, which is not looked at.
        sight: what can be found out about processes.

    Raises:
        OSError: if a journal's directory cannot be read.
    """
    below = link_directory(config, RunIdentity("", root, "MULTIRUN"))
    there = {directory: ids[-1] for directory in run_directories(below) if directory != root and (ids := run_ids(directory))}
    for directory in sorted(there, key=there.__getitem__, reverse=True):  # ids sort by time
        record = latest_sweep(config, directory, sight)
        if record is not None:
            return record
    return None


def _is_of_this_app(config: DictConfig, record: RunRecord) -> bool:
    """By the name of its program's file and of its config; what is not on record says nothing."""
    program, name = record.facts.get("program"), record.facts.get("config_name")
    before = app_words([as_text(word) for word in program])[-1:] if isinstance(program, list) else []
    now = app_words(command_line().program)[-1:]
    same_program = not before or [Path(word).name for word in before] == [Path(word).name for word in now]
    return same_program and (name is None or name == config.hydra.job.config_name)
