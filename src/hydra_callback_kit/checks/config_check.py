"""All checks of one config, and its secrets kept out of what they say."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from omegaconf import DictConfig, OmegaConf

from hydra_callback_kit.checks.keys import missing_values, required
from hydra_callback_kit.checks.model import ModelCheck
from hydra_callback_kit.checks.plain import Plain, plain
from hydra_callback_kit.checks.schema import SchemaCheck
from hydra_callback_kit.checks.violation import ABSENT, Violation
from hydra_callback_kit.configs.known_secrets import learn_secrets
from hydra_callback_kit.configs.redaction import Redaction


class ConfigCheck:
    """Checks the configs of a run's jobs, one by one.

    Args:
        redaction: which keys are secret.
        required_keys: dotted keys that need a value.
        forbid_missing: whether every key needs one.
        schema: the schema, if any.
        model: the model, if any.
    """

    def __init__(
        self,
        redaction: Redaction,
        required_keys: Sequence[str] = (),
        forbid_missing: bool = False,
        schema: SchemaCheck | None = None,
        model: ModelCheck | None = None,
    ) -> None:
        self._redaction = redaction
        self._required_keys = required_keys
        self._forbid_missing = forbid_missing
        self._by_value = [check for check in (schema, model) if check is not None]

    def violations(self, config: DictConfig) -> list[Violation]:
        """Finds everything that is wrong with a config; the config is not changed.

        Args:
            config: the config without the `hydra` node.

        Returns:
            The violations without secrets, one for each problem of a key; of a key that is not there, one.
        """
        content = plain(config) if self._forbid_missing or self._by_value else Plain({}, [], [])
        found: dict[tuple[str, str], Violation] = {}
        for violation in self._all(config, content):
            found.setdefault((violation.key, "" if violation.value is ABSENT else violation.problem), violation)
        if not found:
            return []
        learn_secrets(config, self._redaction)
        self._redaction.learn(self._redaction.secrets_in(content.values))
        own = [*self._secrets(OmegaConf.to_container(config, resolve=False)), *self._secrets(content.values)]
        return [
            violation._replace(problem=self._scrubbed(violation.problem, own), value=self._shown(violation))
            for violation in found.values()
        ]

    def not_composed(self, error: Exception, overrides: Sequence[str]) -> Violation:
        """Says of a job that Hydra cannot compose its config.

        Args:
            error: what Hydra raised.
            overrides: the job's overrides.
        """
        reasons = [str(error).strip(), *([str(error.__cause__).strip()] if error.__cause__ else [])]
        text = "; ".join(" ".join(reason.split("\n    full_key:")[0].split()) for reason in reasons if reason)
        learned = self._redaction.secrets_in_overrides(overrides)
        self._redaction.learn(learned)
        # Hydra quotes what it was given, numbers too
        given = [override.partition("=")[2] for override in overrides if self._redaction.secret_keys_of([override])]
        return Violation("", f"cannot be composed: {self._scrubbed(text or type(error).__name__, [*learned, *given])}")

    def _all(self, config: DictConfig, content: Plain) -> Iterator[Violation]:
        yield from required(config, self._required_keys)
        if self._forbid_missing:
            yield from missing_values(content.missing)
        yield from content.unresolved
        for check in self._by_value:
            yield from check.violations(content.values)

    def _shown(self, violation: Violation) -> Any:
        if violation.value is ABSENT:
            return ABSENT
        if self._redaction.keys.is_secret(violation.key):
            return self._redaction.mark(violation.value)
        return self._redaction.of_value(violation.value)

    def _secrets(self, node: Any, inside: bool = False) -> Iterator[str]:
        """The values below secret keys, as text."""
        if isinstance(node, dict):
            for key, value in node.items():
                yield from self._secrets(value, inside or self._redaction.keys.is_secret(str(key)))
        elif isinstance(node, list):
            for value in node:
                yield from self._secrets(value, inside)
        elif inside and node is not None:
            yield str(node)

    def _scrubbed(self, text: str, secrets: Iterable[str]) -> str:
        """A text that someone else wrote (a validator, a resolver, Hydra) without secrets, short ones as words included."""
        text = self._redaction.of_text(text)
        for secret in sorted({secret for secret in secrets if secret.strip()}, key=len, reverse=True):
            text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", self._redaction.mark(secret), text)
        return text
