"""What a sweep asks of its jobs, found out without composing each of them.

Jobs that choose the same config groups share a base. What an override changes in it is found out once, whichever jobs have
it; a job is its base and what its overrides change, unless they touch what others of them touch.
"""

import copy
import itertools
from collections.abc import Sequence
from typing import Any

from hydra.core.override_parser.types import Override, OverrideType, QuotedString
from omegaconf import DictConfig
from omegaconf.nodes import ValueNode

from hydra_callback_kit.configs.composed_job import parsed, set_values
from hydra_callback_kit.configs.flat_config import flat_config, flat_value, name_of_key
from hydra_callback_kit.configs.known_secrets import redaction_of
from hydra_callback_kit.configs.shared_job_configs import job_configs
from hydra_callback_kit.journal.asked import Asked, Flat, differences, digest_of

_Choices = tuple[str, ...]


class AskedConfigs:
    """Tells what is asked of jobs.

    Args:
        config: the config of `on_multirun_start`; it is as before after each call.

    Attributes:
        bases: what jobs share, by its name, as far as jobs were asked for.
    """

    def __init__(self, config: DictConfig) -> None:
        self._configs = job_configs(config)
        redaction = redaction_of(config)
        self._keys, self._hide = redaction.keys, redaction.of_text
        self.bases: dict[str, Flat] = {}
        self._flat: dict[_Choices, tuple[str, Flat]] = {}
        self._differs: dict[tuple[_Choices, str], dict[str, list[Any]]] = {}

    def asked(self, overrides: Sequence[str]) -> Asked:
        """What is asked of a job.

        Args:
            overrides: the job's.

        Raises:
            HydraException: if Hydra cannot compose it.
            OmegaConfBaseException: the same.
            ValueError: the same.
        """
        job = self._configs.job(overrides)
        values = [] if job is None else [parsed(job.overrides[place]) for place in job.values]
        choices = tuple(each for place, each in enumerate(overrides) if job is None or place not in job.values)
        if job is None or not self._configs.are_shared(choices):
            return self._whole(overrides)
        config = job.base.shared()
        name, flat = self._base(choices, config)
        keys = sorted(override.key_or_group for override in values)
        if any(f"{after}.".startswith(f"{before}.") for before, after in itertools.pairwise(keys)):
            return self._whole(overrides)
        joined: dict[str, list[Any]] = {}
        count = 0
        for override in values:
            known = choices, str(override.input_line)
            if known not in self._differs:
                self._differs[known] = self._changed(config, flat, override)
            joined |= self._differs[known]
            count += len(self._differs[known])
        return Asked(name, joined) if count == len(joined) else self._whole(overrides)

    def _base(self, choices: _Choices, config: DictConfig) -> tuple[str, Flat]:
        if choices not in self._flat:
            flat = flat_config(config, self._keys, self._hide)
            name = digest_of(flat).hex()
            self.bases[name] = flat
            self._flat[choices] = name, flat
        return self._flat[choices]

    def _whole(self, overrides: Sequence[str]) -> Asked:
        """The same where the job's config is looked at whole: in what it is another than a base that is there."""
        config = self._configs.compose(0, overrides)
        name, flat = next(iter(self._flat.values()), ("", None))
        if flat is None:
            return Asked(self._base(tuple(overrides), config)[0], {})
        return Asked(name, differences(flat, flat_config(config, self._keys, self._hide)))

    def _changed(self, base: DictConfig, flat: Flat, override: Override) -> dict[str, list[Any]]:
        """What an override changes in a base."""
        place = _place_of_a_value(base, override)
        if place is None:
            config = copy.deepcopy(base)
            set_values([override], config)
            return differences(flat, flat_config(config, self._keys, self._hide))
        # a config of some size takes milliseconds to copy; a value is set in the base, and taken back
        content, key, names = place
        before = content[key]
        content[key] = copy.deepcopy(before)
        try:
            set_values([override], base)
            values = list(flat_value(key, content[key], self._keys, self._hide))
        finally:
            content[key] = before
        name = ".".join(map(name_of_key, names))
        return differences({name: flat[name]} if name in flat else {}, {name: values[0]} if values else {})


def _place_of_a_value(base: DictConfig, override: Override) -> tuple[dict[Any, Any], str, list[str]] | None:
    """Where an override puts a single value in the place of another one: the container's content, the key, and the path.

    None: it does something else.
    """
    names = override.key_or_group.split(".")
    if override.type not in (OverrideType.CHANGE, OverrideType.FORCE_ADD) or "[" in override.key_or_group:
        return None
    value = override.value()
    if value is not None and not isinstance(value, (bool, int, float, str, QuotedString)):
        return None
    content: Any = base.__dict__["_content"]
    for name in names[:-1]:
        node = content.get(name)
        content = node.__dict__["_content"] if isinstance(node, DictConfig) else None
        if not isinstance(content, dict):
            return None
    return (content, names[-1], names) if isinstance(content.get(names[-1]), ValueNode) else None
