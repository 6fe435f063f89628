"""Two that would write into the same file: no run starts where a callback's file is Hydra's log, or another callback's."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from omegaconf import DictConfig, OmegaConf

from hydra_callback_kit.configs.callback_nodes import callback_nodes
from hydra_callback_kit.configs.identity import identify_run
from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.configs.reading import known_value
from hydra_callback_kit.hooks.abort import abort
from hydra_callback_kit.journal import metric_points

_TAKEN: Final = "files_of_callbacks"
"""The note of a run that holds which class writes which file, or who else."""
_A_JOBS: Final = "/a job's directory"
"""What stands for the directory of each job of a sweep."""
_INTERPOLATION: Final = r"\$\{(hydra[:.])?([\w.-]+)\}"


class OwnFile(NamedTuple):
    """A file that a callback is going to write.

    Attributes:
        name: relative to the directory of the run, or of each job; or absolute.
        parameter: the parameter that names it, or has it written; empty for none.
        instead: what that parameter may be given instead.
        of_each_job: whether each job has one.
    """

    name: str
    parameter: str = ""
    instead: str = ""
    of_each_job: bool = False


def refuse_same_files(config: DictConfig, callback: str, files: Sequence[OwnFile]) -> None:
    """Stops a run in which a callback would write into a file that somebody else writes.

    Args:
        config: the config of `on_run_start` or `on_multirun_start`.
        callback: the callback's class.
        files: what it writes.

    Raises:
        AbortRun: if one of them is another's.
    """
    notes = notes_of(config)
    taken: dict[str, str] = notes.get(_TAKEN) or dict(_of_others(config))
    notes[_TAKEN] = taken
    for file in files:
        place = _place(config, file.name, of_each_job=file.of_each_job)
        other = taken.get(place)
        if other is not None and other != callback:
            option = _option_of(config, callback)
            advice = f"Write {option}.{file.parameter}={_instead(file)}." if file.parameter else "Write another name there."
            abort(
                config,
                f"Nothing was started: {option}{f'.{file.parameter}' if file.parameter else ''} would write {file.name}, "
                f"which is {_in_words(config, other)}. {advice}",
            )
        taken[place] = callback


def files_in_the_root(config: DictConfig) -> list[str]:
    """What callbacks, and Hydra's logging, write in a run's directory, relative to it, as far as it was known at its start.

    Args:
        config: the config of any hook.
    """
    root, taken = identify_run(config).root, notes_of(config).get(_TAKEN, {})
    return [Path(place).relative_to(root).as_posix() for place in taken if Path(place).is_relative_to(root)]


def _place(config: DictConfig, name: str, *, of_each_job: bool) -> str:
    directory = _of_a_job(config) if of_each_job else identify_run(config).root
    return os.path.normpath(os.path.join(directory, name))  # noqa: PTH118  an absolute name stays what it is


def _of_a_job(config: DictConfig) -> str | Path:
    run = identify_run(config)
    return _A_JOBS if run.mode == "MULTIRUN" else run.root


def _of_others(config: DictConfig) -> Iterator[tuple[str, str]]:
    """The files of no callback, and whose they are: for Hydra's logging by which key, as far as that is known before."""
    yield _place(config, metric_points.NAME, of_each_job=True), "what report_metrics writes"
    yield _place(config, "multirun.yaml", of_each_job=False), "what Hydra writes"
    for group in ("job_logging", "hydra_logging"):
        node = OmegaConf.select(config, f"hydra.{group}")
        written: Any = OmegaConf.to_container(node, resolve=False) if OmegaConf.is_dict(node) else {}
        handlers = written.get("handlers")
        for name, handler in handlers.items() if isinstance(handlers, dict) else ():
            file = handler.get("filename") if isinstance(handler, dict) else None
            filled = _filled(config, file) if isinstance(file, str) else "${"
            if "${" not in filled:
                place = os.path.join(config.hydra.runtime.cwd, filled)  # noqa: PTH118  the same
                yield os.path.normpath(place), f"hydra.{group}.handlers.{name}.filename"


def _filled(config: DictConfig, text: str) -> str:
    """With what is known of its interpolations in their places."""

    def known(found: "re.Match[str]") -> str:
        key = f"hydra.{found[2]}" if found[1] else found[2]
        if key == "hydra.runtime.output_dir":
            return str(_of_a_job(config))
        value = known_value(config, key)
        return found[0] if value is None else str(value)

    return re.sub(_INTERPOLATION, known, text)


def _option_of(config: DictConfig, callback: str) -> str:
    nodes = callback_nodes(config).items()
    is_its = (name for name, node in nodes if isinstance(node, dict) and str(node.get("_target_")).endswith(f".{callback}"))
    return f"hydra.callbacks.{next(is_its, callback)}"


def _in_words(config: DictConfig, other: str) -> str:
    if other.startswith("hydra."):
        return f"Hydra's log ({other})"
    return other if " " in other else f"what {_option_of(config, other)} writes"


def _instead(file: OwnFile) -> str:
    path = Path(file.name)
    return str(path.with_stem(f"{path.stem}_2")) if file.instead in ("", path.name) else file.instead
