"""The links to the latest run and to the best job: where they belong, and how they get there without ever being broken."""

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Literal

from omegaconf import DictConfig, OmegaConf

from hydra_callback_kit.configs.directories import resolved_again
from hydra_callback_kit.journal.format import JOURNAL_DIR
from hydra_callback_kit.journal.identity import RunIdentity
from hydra_callback_kit.views.files import Tell, put_in_place

_ANOTHER_TIME = "~"
"""What no `${now:...}` says."""
_LONGEST_PATH: Final = 32_768
"""Bytes: no system has longer ones."""


def link_directory(config: DictConfig, run: RunIdentity) -> Path:
    """Tells the directory that the link to a run belongs in.

    Args:
        config: the config of `on_run_start` or `on_multirun_start`.
        run: the run of that config.

    Returns:
        The deepest directory of the run's path that is the same whenever the run starts: above the first part that comes
        from `${now:...}`, however many interpolations lie between; beside the run's directory where none does.
    """
    # Hydra's resolver keeps what it said, so that a run has one time: while that says another, what changes can be seen
    said: dict[Any, Any] = OmegaConf.get_cache(config).get("now", {})
    kept = dict(said)
    said.update(dict.fromkeys(said, _ANOTHER_TIME))
    try:
        another = resolved_again(config, "hydra.sweep.dir" if run.mode == "MULTIRUN" else "hydra.run.dir") or run.root
        common = Path(os.path.commonpath([run.root, another]))
    except ValueError:  # on another drive
        common = run.root
    finally:
        said.clear()
        said.update(kept)
    return run.root.parent if common == run.root else common


def put_link(
    link: Path, directory: Path, tell: Tell, symlink: Callable[..., None] = os.symlink, *, of_job: bool = False
) -> Path:
    """Makes a link to a directory below the one that the link lies in, in one step, in the place of an earlier link.

    Args:
        link: where the link goes. What lies there is set aside, but a link of ours: it leads to a run (to a job of one, if
            this one does), or nowhere any more.
        directory: what it points to: the directory of a run, or of a job below it.
        tell: is told of what was set aside.
        symlink: makes a link, as `os.symlink` does.
        of_job: whether this one leads to a job.

    Returns:
        The link; or, where links cannot be made, the text file `<link>.txt` that holds the relative path. What lies there
        is set aside, but a text that leads to a run.

    Raises:
        OSError: if neither could be put there.
    """
    target = os.path.relpath(directory, link.parent)
    try:
        with put_in_place(link, functools.partial(_is_our_link, of_job=of_job), tell) as temporary:
            symlink(target, temporary, target_is_directory=True)
    except OSError:
        file = link.with_name(f"{link.name}.txt")
        with put_in_place(file, functools.partial(_is_our_text, of_job=of_job), tell) as temporary:
            temporary.write_bytes(f"{target}\n".encode("utf-8", "surrogateescape"))
        return file
    return link


def _is_our_link(link: Path, *, of_job: bool) -> bool:
    return link.is_symlink() and _leads(link.readlink(), link.parent, of_job=of_job) in ("to a run", "nowhere")


def _is_our_text(file: Path, *, of_job: bool) -> bool:
    if file.is_symlink() or not file.is_file() or file.stat().st_size > _LONGEST_PATH:
        return False
    target, end, more = os.fsdecode(file.read_bytes()).partition("\n")
    return bool(target) and end == "\n" and not more and _leads(Path(target), file.parent, of_job=of_job) == "to a run"


def _leads(target: Path, directory: Path, *, of_job: bool) -> Literal["to a run", "nowhere", "elsewhere"]:
    """Where a path leads that was found in a directory: ours are relative, and never lead above it.

    Args:
        target: the path.
        directory: where it was found.
        of_job: whether a directory below a run's is as good.
    """
    if target.is_absolute() or ".." in target.parts:
        return "elsewhere"
    try:
        (directory / target).stat()
        runs = (target, *target.parents) if of_job else (target,)
        return "to a run" if any((directory / run / JOURNAL_DIR).is_dir() for run in runs) else "elsewhere"
    except (FileNotFoundError, NotADirectoryError):
        return "nowhere"
    except (OSError, ValueError):
        return "elsewhere"
