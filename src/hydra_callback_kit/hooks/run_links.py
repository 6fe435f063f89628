"""Links beside runs that callbacks keep: to the latest run, to the best job of a sweep."""

import os
from pathlib import Path

from omegaconf import DictConfig

from hydra_callback_kit.configs.directories import absolute_directory
from hydra_callback_kit.configs.identity import identify_run
from hydra_callback_kit.hooks.own_files import tell
from hydra_callback_kit.hooks.parameters import ParameterError
from hydra_callback_kit.journal.safe_log import SafeLogger
from hydra_callback_kit.views.latest_link import link_directory, put_link


def link_name(parameter: str, given: str, usual: str) -> str:
    """Returns the name of a link.

    Args:
        parameter: the parameter's name.
        given: the name.
        usual: what is advised.

    Raises:
        ParameterError: if it is empty, `.`, `..`, or has a `/` in it.
    """
    if not isinstance(given, str) or given.strip() in {"", ".", ".."} or {"/", "\0", os.sep} & set(given):
        raise ParameterError(parameter, given, "the name of a link, without a path", f"Write {parameter}={usual}.")
    return given


def point_to(config: DictConfig, name: str, directory: Path, log: SafeLogger, what: str) -> Path | None:
    """Points a link to a run, or to a job of it.

    Args:
        config: the config of any hook.
        name: the link's name.
        directory: what it points to: the run's directory, or a job's below it.
        log: the callback's logger, which is told of what is set aside.
        what: what it leads to: `the latest run`.

    Returns:
        The link, or the text file in its place; None where there is none: something else has its name, or the run is in the
        directory that the app was started in, or above.

    Raises:
        OSError: if it cannot be put there.
    """
    run = identify_run(config)
    # a directory that could not be made has had its error, and nothing is to point to it
    if not directory.is_dir() or absolute_directory(config, "").is_relative_to(run.root):
        return None
    link = link_directory(config, run) / name
    if run.root.is_relative_to(link) or (link.exists() and not link.is_symlink()):
        log.warning("%s is not a link: it is left as it is, and there is no link to %s.", link, what)
        return None
    return put_link(link, directory, tell(log), of_job=directory != run.root)


def remove_if_broken(config: DictConfig, name: str) -> None:
    """Removes a link to this run, or to a job of it, whose directory has vanished.

    Args:
        config: the config of `on_run_start` or `on_multirun_start`.
        name: the link's name.
    """
    run = identify_run(config)
    link = link_directory(config, run) / name
    if link.is_symlink() and not link.exists() and (link.parent / link.readlink()).is_relative_to(run.root):
        link.unlink()
