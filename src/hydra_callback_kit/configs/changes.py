"""What is changed in a job's config for another attempt: keys get values, or a multiple of the value that they have."""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final, NamedTuple

from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from hydra_callback_kit.configs.job_configs import JobConfigs
from hydra_callback_kit.configs.reading import known_value
from hydra_callback_kit.configs.sweep_jobs import sample_job, sweep_jobs
from hydra_callback_kit.journal.overrides import override_key, quoted_value

_FACTOR: Final = re.compile(r"\s*\*\s*([0-9]+(?:\.[0-9]+)?|[0-9]*\.[0-9]+)\s*")


class ChangeError(ValueError):
    """A change cannot be made.

    Attributes:
        key: the key.
        given: what it was to get.
        allowed: what is allowed there, in words.
        advice: what to do instead.
    """

    def __init__(self, key: str, given: Any, allowed: str, advice: str) -> None:
        super().__init__(key)
        self.key = key
        self.given = given
        self.allowed = allowed
        self.advice = advice


class Factor(NamedTuple):
    """What a value is multiplied by: `*0.5`.

    Attributes:
        by: the number.
    """

    by: Fraction

    def of(self, value: float) -> float:
        """The product, of the value's type: an integer is rounded down, but not to 0."""
        if isinstance(value, float):
            return value * float(self.by)
        product = abs(value) * self.by
        size = max(int(product), 1 if product else 0)
        return size if value > 0 else -size


Changes = Mapping[str, Any]
"""By dotted key the value that it gets, or a `Factor`."""


def changes_of(given: Mapping[Any, Any]) -> Changes:
    """Reads changes as they are given: by dotted keys, or in mappings that lie in each other.

    Args:
        given: such as `{"batch_size": "*0.5", "optim": {"lr": 0.1}}`.

    Raises:
        ChangeError: if a key is no text, is Hydra's own or is given twice, or a value would be multiplied by 0.
    """
    changes: dict[str, Any] = {}
    for key, value in _flat(given, ""):
        if key == "hydra" or key.startswith("hydra."):
            raise ChangeError(key, value, "a key of the app's config", "The launcher is set up once for all attempts.")
        if not re.fullmatch(r"[^\s.=]+(\.[^\s.=]+)*", key) or key in changes:
            raise ChangeError(key, value, "each key once, dotted, such as optim.lr", "Write {optim.lr: 0.1}.")
        factor = _FACTOR.fullmatch(value) if isinstance(value, str) else None
        if factor is not None and Fraction(factor[1]) == 0:
            raise ChangeError(
                key, value, "a number above 0 after the *", "Write '*0.5' for half of the value, or the value."
            )
        changes[key] = value if factor is None else Factor(Fraction(factor[1]))
    return changes


def check_changes(config: DictConfig, changes: Changes) -> None:
    """Checks that changes can be made in the jobs of a sweep.

    Args:
        config: that of `on_multirun_start`.
        changes: what is to be changed.

    Raises:
        ChangeError: if a key is in the config of no job, or does not take what it gets.
    """
    try:
        configs = list(_configs_of_jobs(config, changes))
    except (HydraException, OmegaConfBaseException, ValueError):
        return  # Hydra is about to say the same of the jobs
    for key, given in changes.items():
        having = next((each for each in configs if has(each[1], key)), None)
        if having is None:
            known = [found for _, composed in configs for found in _keys(composed)]
            near = difflib.get_close_matches(key, known, n=1)
            raise ChangeError(key, given, "a key that jobs have", f"Write {near[0]}." if near else "Leave it out.")
        changed = changed_overrides(*having, {key: given})
        try:
            JobConfigs(config).compose(0, changed)
        except (HydraException, OmegaConfBaseException, ValueError) as error:
            why = str(error).partition("\n")[0]
            raise ChangeError(key, given, "a value that the config takes", f"Hydra says: {why}") from error


def has(config: DictConfig, key: str) -> bool:
    """Whether a job's config has a key, whatever its value."""
    *path, last = key.split(".")
    try:
        parent = OmegaConf.select(config, ".".join(path)) if path else config
    except OmegaConfBaseException:
        return False
    return isinstance(parent, DictConfig) and last in parent.keys()  # noqa: SIM118  `in` says no of `???`


def changed_overrides(overrides: Sequence[str], config: DictConfig, changes: Changes) -> list[str]:
    """A job's overrides with changes in them; one for a key that the config does not have is left out.

    Args:
        overrides: those that it had in its last attempt.
        config: the config that it had.
        changes: what is changed.

    Raises:
        ChangeError: if a value is of another kind than the one that it takes the place of.
    """
    changed = list(overrides)
    for key, given in changes.items():
        if not has(config, key):
            continue
        text = _text(_new_value(config, key, given))
        places = [place for place, each in enumerate(changed) if override_key(each) == key]
        prefix = changed[places[-1]].partition("=")[0] if places else key
        for place in reversed(places):
            del changed[place]
        changed.insert(places[0] if places else len(changed), f"{prefix}={text}")
    return changed


def _new_value(config: DictConfig, key: str, given: Any) -> Any:
    value = known_value(config, key)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if isinstance(given, Factor):
        if not is_number:
            advice = f"It is {_kind(value)}: write the value itself."
            raise ChangeError(key, f"*{float(given.by):g}", "a number to be multiplied there", advice)
        return given.of(value)
    if isinstance(given, str) and (is_number or isinstance(value, bool)):
        advice = f"It is {_kind(value)}: write such a value, or '*0.5' for half of a number."
        raise ChangeError(key, given, "a value of the same kind", advice)
    return given


def _kind(value: Any) -> str:
    """What a value is; not which one, for it may be a secret."""
    kinds = {int: "an integer", float: "a number", bool: "true or false", str: "a text", type(None): "not known"}
    return kinds.get(type(value), f"a {type(value).__name__}")


def _configs_of_jobs(config: DictConfig, changes: Changes) -> Iterator[tuple[list[str], DictConfig]]:
    """The configs of jobs, until all keys are found: one for each combination of choices."""
    jobs, composed = sweep_jobs(config), JobConfigs(config)
    seen: set[tuple[str, ...]] = set()
    left = set(changes)
    for num, overrides in enumerate([sample_job(config)[0]] if jobs is None else jobs):
        choices = composed.choices(overrides)
        if choices not in seen:
            seen.add(choices)
            of_job = composed.compose(num, overrides)
            yield overrides, of_job
            left = {key for key in left if not has(of_job, key)}
            if not left:
                return


def _keys(config: DictConfig) -> Iterator[str]:
    plain = OmegaConf.to_container(config, resolve=False)
    return (key for key, _ in _flat(plain, "") if not key.startswith("hydra.")) if isinstance(plain, dict) else iter(())


def _flat(given: Mapping[Any, Any], before: str) -> Iterator[tuple[str, Any]]:
    for key, value in given.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def _text(value: Any) -> str:
    """A value in the grammar of overrides."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}:{_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return f"[{','.join(map(_text, value))}]"
    return quoted_value(value) if isinstance(value, str) else repr(value)
