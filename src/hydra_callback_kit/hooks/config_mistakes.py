"""Mistakes below `hydra.callbacks` that Hydra takes silently, or warns of at every hook: said once, as the run starts."""

import os
import warnings
from collections.abc import Iterator
from typing import Any, Final

from omegaconf import DictConfig, OmegaConf

from hydra_callback_kit.configs.callback_nodes import callback_nodes, names_of_options, replaced_settings
from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.journal.safe_log import SafeLogger

log = SafeLogger("hydra_callback_kit")

_OF_HYDRA: Final = r"Callback (DictConfig|dict)\.on_\w+ raised "
"""Hydra's warning for a node without `_target_`, which it calls as if it were a callback."""


def before_hook(hook: str, config: DictConfig) -> None:
    """Says as a run starts what is wrong below `hydra.callbacks`, and keeps Hydra from saying it at every hook.

    Args:
        hook: the hook that is called, such as `on_job_start`.
        config: the config that Hydra handed to it.
    """
    notes = notes_of(config)
    if hook in ("on_run_start", "on_multirun_start") and "mistakes" not in notes:
        without_target = list(_without_target(config))
        notes["mistakes"], notes["parent"] = bool(without_target), os.getpid()
        for mistake in (*without_target, *_replaced(config), *_in_the_apps_part(config)):
            log.caution("%s", mistake)
    if hook.endswith("_start") and notes.get("mistakes") and not _filters:
        warnings.filterwarnings("ignore", _OF_HYDRA, UserWarning)
        _filters.append(warnings.filters[0])


def after_hook(hook: str, config: DictConfig) -> None:
    """Lets Hydra warn again, once the run, or a job in a process of its own, is over.

    Args:
        hook: the hook that was called.
        config: the config that Hydra handed to it.
    """
    over = hook in ("on_run_end", "on_multirun_end") or (
        hook == "on_job_end" and notes_of(config).get("parent") != os.getpid()
    )
    while over and _filters:
        hushing = _filters.pop()
        if hushing in warnings.filters:
            warnings.filters.remove(hushing)  # type: ignore[attr-defined]  # typeshed says Sequence; it is a list


_filters: list[Any] = []
"""The filter for Hydra's warnings, while there is one."""


def _nodes_without_target(config: DictConfig) -> list[str]:
    return [name for name, node in callback_nodes(config).items() if isinstance(node, dict) and "_target_" not in node]


def _without_target(config: DictConfig) -> Iterator[str]:
    strays = _nodes_without_target(config)
    if not strays:
        return
    import difflib  # noqa: PLC0415  only who mistyped needs it

    options = names_of_options()
    for name in strays:
        key = f"hydra.callbacks.{name}"
        nearest = difflib.get_close_matches(name, options, n=1, cutoff=0.75)
        if name in options:
            yield (
                f"{key} has settings, but {name} is not chosen, so they do nothing. "
                f"Add it to the defaults list (callbacks: [{name}]) or to callbacks=[...] on the command line."
            )
        elif nearest:
            yield f"{key} is no callback, so it does nothing. Did you mean hydra.callbacks.{nearest[0]}?"
        else:
            yield f"{key} is no callback, so it does nothing: it has no _target_."


def _in_the_apps_part(config: DictConfig) -> Iterator[str]:
    """`callbacks:` is a group in the defaults list, and no place for settings."""
    written: Any = OmegaConf.to_container(config, resolve=False).get("callbacks")  # type: ignore[union-attr]  # a mapping
    for name in written if isinstance(written, dict) else ():
        if name in callback_nodes(config) and name in names_of_options():
            yield f"callbacks.{name} of the app's config does nothing. Settings stand below hydra.callbacks.{name}."


def _replaced(config: DictConfig) -> Iterator[str]:
    for name, given, used in replaced_settings(config):
        yield (
            f"{config.hydra.job.config_name} sets hydra.callbacks.{name}={given}, but the value used is {used}: "
            "`_self_` stands before `callbacks` in its defaults list, so that the option's own values replace it. "
            "Move `_self_` to the end of the list."
        )
