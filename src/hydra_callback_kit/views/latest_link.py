"""The link to the latest run: where it belongs, and how it is put there without ever being broken."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from hydra_callback_kit.configs.directories import resolved_again
from hydra_callback_kit.journal.identity import RunIdentity
from hydra_callback_kit.views.files import put_in_place, write_atomically

_ANOTHER_TIME = "~"
"""What no `${now:...}` says."""


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


def put_link(link: Path, directory: Path, symlink: Callable[..., None] = os.symlink) -> Path:
    """Makes a link to a directory below the one that the link lies in, in one step, in the place of an earlier link.

    Args:
        link: where the link goes; there must be no file or directory of that name.
        directory: what it points to.
        symlink: makes a link, as `os.symlink` does.

    Returns:
        The link; or, where links cannot be made, the text file `<link>.txt` that holds the relative path.

    Raises:
        OSError: if neither could be put there.
    """
    target = os.path.relpath(directory, link.parent)
    try:
        with put_in_place(link) as temporary:
            symlink(target, temporary, target_is_directory=True)
    except OSError:
        file = link.with_name(f"{link.name}.txt")
        write_atomically(file, f"{target}\n")
        return file
    return link


def remove_link(link: Path, directory: Path) -> None:
    """Removes a link if it is still the one that points to a directory.

    Args:
        link: where it lies.
        directory: what it points to.
    """
    if link.is_symlink() and link.parent / link.readlink() == directory:
        link.unlink()
