"""Callbacks that decide whether a run starts at all: they are asked before any other acts, wherever they stand in the list.

Whichever callback of this package Hydra calls first asks them. A run that they refuse leaves nothing behind: no callback of
this package acts for it any more, also not where Hydra 1.4 calls the end hooks, nor as the process ends.
"""

import contextlib
import importlib
from collections.abc import Iterator
from typing import Any, Final, NoReturn

from omegaconf import DictConfig, OmegaConf

from hydra_callback_kit.configs.directories import DirectoryNotKnownError
from hydra_callback_kit.configs.identity import identify_run, is_another_attempt, jobs_of_sweep_again
from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.configs.reading import resolving
from hydra_callback_kit.hooks.abort import abort
from hydra_callback_kit.hooks.run_recorder import do_not_record
from hydra_callback_kit.journal.errors import message_of
from hydra_callback_kit.journal.rank import is_worker

_PACKAGE: Final = "hydra_callback_kit"

_GATES: Final = (
    "DetachCallback",
    "ResumeCallback",
    "OutputGuardCallback",
    "ValidationCallback",
    "ProvenanceCallback",
    "DryRunCallback",
)


def ask_gates(hook: str, config: DictConfig) -> None:
    """Asks the gates of a config, once.

    What is detached is asked in the process that runs it. Which run goes on is known before the guard looks whose the
    directory is. The guard comes before validation, whose reasons go on record in the directory. A dry run asks
    `validation_callback` before it shows what would run: what is not valid would not run.

    Args:
        hook: `on_run_start` or `on_multirun_start`.
        config: the config that Hydra handed to it.

    Raises:
        AbortRun: if one of them stops the run.
    """
    notes = notes_of(config)
    if "gates" in notes:
        return
    notes["gates"] = "asked"
    if is_worker():
        identify_run(config)  # what looks like a rank and is none finds that out here
    if hook == "on_multirun_start" and is_another_attempt(config):
        refuse(config)
        abort(
            config,
            "Nothing was started: this command runs one job again, and the app has made a sweep of it, which would write "
            "over the others.\nStart the job from the app itself.",
        )
    if hook == "on_multirun_start" and jobs_of_sweep_again(config) is not None:
        from hydra_callback_kit.hooks.sweep_again import ask_whether_it_may_go_on  # noqa: PLC0415  few sweeps go on

        ask_whether_it_may_go_on(config)
    nodes = list(_nodes(config))
    dry = any(name == "DryRunCallback" for name, _ in nodes)
    if dry:
        do_not_record(config)
    for asked in ("ValidationCallback", "DryRunCallback") if dry else _GATES[:-1]:
        for name, parameters in nodes:
            if name == asked and (name != "ProvenanceCallback" or parameters.get("require_clean")):
                _ask(name, parameters, hook, config)


def refuse(config: DictConfig) -> None:
    """Says that a run is refused; what was recorded of it is taken back.

    Args:
        config: the config of `on_run_start` or `on_multirun_start`.
    """
    do_not_record(config)
    notes_of(config)["gates"] = "refused"


@contextlib.contextmanager
def nothing_is_recorded(config: DictConfig) -> Iterator[None]:
    """While it is open, nothing is recorded of a run; and if it is stopped then, nothing ever, and no callback acts for it.

    Args:
        config: the config of `on_run_start` or `on_multirun_start`.
    """
    notes = notes_of(config)
    if "unrecorded" in notes:
        yield
        return
    notes["unrecorded"] = True
    try:
        yield
    except SystemExit:
        refuse(config)
        raise
    except BaseException:
        del notes["unrecorded"]
        raise
    del notes["unrecorded"]


def cannot_find_out(config: DictConfig, name: str, error: Exception) -> NoReturn:
    """Stops a run or a job of which a callback could not find out whether it may start.

    Args:
        config: the config of a start hook.
        name: the callback's class.
        error: what kept it from finding out.

    Raises:
        AbortRun: always.
    """
    is_job = "output_dir" in config.hydra.runtime  # `???` is not in it
    if not is_job:
        refuse(config)
    why = f"{type(error).__name__}: {message_of(error)}" if type(error) is not DirectoryNotKnownError else str(error)
    abort(
        config,
        f"The {'job' if is_job else 'run'} was not started: {name} cannot find out whether it may. {why}",
        cause=error,
    )


def is_refused(config: DictConfig) -> bool:
    """Tells whether a gate has stopped the run of a config."""
    return bool(notes_of(config).get("gates") == "refused")


def _ask(name: str, parameters: dict[str, Any], hook: str, config: DictConfig) -> None:
    try:
        gate = getattr(importlib.import_module(_PACKAGE), name)(**_resolved(parameters, config))
        if name == "ProvenanceCallback":
            gate.before_the_run(config)  # whether the work tree is clean; its hooks write files
        elif name in ("DetachCallback", "ResumeCallback"):
            gate.decide(config)  # whether it runs in this process, and which run it is, before anything of it is recorded
        else:
            getattr(gate, hook)(config=config)
    except SystemExit:
        if name in ("ValidationCallback", "ProvenanceCallback"):
            notes_of(config)["gates"] = "refused"  # the reason stays on record: the directory is this run's
        else:
            refuse(config)
        raise
    except Exception as error:  # noqa: BLE001  whatever it is, nothing may start
        cannot_find_out(config, name, error)


def _nodes(config: DictConfig) -> Iterator[tuple[str, Any]]:
    """The classes and parameters of the gates that the config has; one inside another callback is that callback's own."""
    nodes = OmegaConf.to_container(OmegaConf.select(config, "hydra.callbacks") or OmegaConf.create(), resolve=False)
    for node in nodes.values() if isinstance(nodes, dict) else ():
        package, _, name = str(node.get("_target_") if isinstance(node, dict) else "").rpartition(".")
        if package == _PACKAGE and name in _GATES:
            yield name, {key: value for key, value in node.items() if not str(key).startswith("_")}


def _resolved(parameters: dict[str, Any], config: DictConfig) -> Any:
    if "${" not in str(parameters):
        return parameters
    with resolving(config) as copied:
        return OmegaConf.to_container(OmegaConf.create(parameters, parent=copied), resolve=True)
