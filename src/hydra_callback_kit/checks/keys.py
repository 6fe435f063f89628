"""Keys that must be there, with a value."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import InterpolationToMissingValueError, MissingMandatoryValue, OmegaConfBaseException

from hydra_callback_kit.checks.violation import ABSENT, Violation, first_line

MISSING: Final = "is ??? and needs a value"


def missing_values(keys: Iterable[str]) -> Iterator[Violation]:
    """Says of each of these keys that it needs a value."""
    return (Violation(key, MISSING) for key in keys)


def required(config: DictConfig, keys: Sequence[str]) -> Iterator[Violation]:
    """Finds the required keys that are not there, or have no value; null is a value.

    Args:
        config: the config without the `hydra` node.
        keys: dotted keys.
    """
    for key in keys:
        try:
            value = OmegaConf.select(config, key, default=ABSENT, throw_on_missing=True, throw_on_resolution_failure=True)
        except (MissingMandatoryValue, InterpolationToMissingValueError):
            yield Violation(key, MISSING)
        except (OmegaConfBaseException, SystemExit) as error:
            yield Violation(key, f"cannot be resolved: {first_line(error)}")
        else:
            if value is ABSENT:
                yield Violation(key, f"is required and not there{_suggestion(key, config)}")


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """A suggestion of the nearest word, if there is a near one."""
    import difflib  # noqa: PLC0415  only what is wrong needs it

    near = difflib.get_close_matches(word, list(words), n=1)
    return f" (did you mean {near[0]}?)" if near else ""


def _suggestion(key: str, config: DictConfig) -> str:
    known = list(_keys(OmegaConf.to_container(config, resolve=False), ""))
    found = did_you_mean(key, known)
    if found:
        return found
    # the right name in another place: `lr` for `optim.lr`
    last = [other for other in known if other.rpartition(".")[2] == key.rpartition(".")[2]]
    return f" (did you mean {last[0]}?)" if last else ""


def _keys(node: Any, prefix: str) -> Iterator[str]:
    for key, value in node.items() if isinstance(node, dict) else ():
        yield f"{prefix}{key}"
        yield from _keys(value, f"{prefix}{key}.")
