"""A config against a JSON Schema, in words that never repeat the value: it may be a secret."""

import enum
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any, Final

from hydra_callback_kit.checks.keys import did_you_mean
from hydra_callback_kit.checks.violation import Violation, dotted

Schema = Mapping[str, Any] | bool

_WORDS: Final = {
    "type": "must be of type {}",
    "enum": "must be one of {}",
    "const": "must be {}",
    "minimum": "must be at least {}",
    "maximum": "must be at most {}",
    "exclusiveMinimum": "must be more than {}",
    "exclusiveMaximum": "must be less than {}",
    "multipleOf": "must be a multiple of {}",
    "pattern": "must match {}",
    "format": "must be a {}",
    "minLength": "must have at least {} characters",
    "maxLength": "must have at most {} characters",
    "minItems": "must have at least {} items",
    "maxItems": "must have at most {} items",
    "minProperties": "must have at least {} keys",
    "maxProperties": "must have at most {} keys",
    "uniqueItems": "must not hold an item twice",
    "anyOf": "fits none of the alternatives that the schema allows",
    "oneOf": "must fit exactly one of the alternatives that the schema allows",
}


class SchemaCheck:
    """Checks configs against a schema.

    Args:
        schema: the JSON Schema; its dialect is what `$schema` names, by default the newest.

    Raises:
        ImportError: if jsonschema is not installed.
        ValueError: if it is not a JSON Schema; the message says where and why.
    """

    def __init__(self, schema: Schema) -> None:
        import jsonschema  # noqa: PLC0415  an optional dependency, slow to import
        from jsonschema_specifications import REGISTRY  # noqa: PLC0415  comes with it

        dialect: Any = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
        try:
            dialect.check_schema(schema)
        except jsonschema.SchemaError as error:
            raise ValueError(f"{dotted(error.absolute_path) or 'at its top'}: {error.message}") from error
        # with the registry of the known dialects, a `$ref` to somewhere else is an error and not a download
        self._validator: Any = dialect(schema, registry=REGISTRY, format_checker=dialect.FORMAT_CHECKER)

    def violations(self, values: Mapping[str, Any]) -> list[Violation]:
        """Finds what the schema does not allow.

        Args:
            values: the config as plain values.
        """
        try:
            found = [violation for error in self._validator.iter_errors(_as_json(values)) for violation in _of(error)]
        except Exception as error:  # noqa: BLE001  a `$ref` that leads nowhere, a pattern that is none: it was not checked
            return [Violation("", f"cannot be checked, the schema fails: {error}")]
        return list({(violation.key, violation.problem): violation for violation in found}.values())


def _of(error: Any) -> Iterator[Violation]:
    path = tuple(error.absolute_path)
    if error.validator == "required":
        for name in error.validator_value:
            if name not in error.instance:
                yield Violation(dotted((*path, name)), f"is required and not there{did_you_mean(name, error.instance)}")
    elif error.validator == "unevaluatedProperties":
        yield Violation(dotted(path), error.message)  # it names keys, and no values
    elif error.validator == "additionalProperties":
        for name in _unknown(error.instance, error.schema):
            suggestion = did_you_mean(name, error.schema.get("properties", {}))
            yield Violation(dotted((*path, name)), f"is not allowed by the schema{suggestion}", error.instance[name])
    else:
        words = _WORDS.get(error.validator, f"violates the schema's {error.validator}: {{}}")
        allowed = error.validator_value
        listed = ", ".join(map(str, allowed)) if isinstance(allowed, list) else str(allowed)
        yield Violation(dotted(path), words.format(listed), error.instance)


def _unknown(instance: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
    patterns = schema.get("patternProperties", {})
    known = schema.get("properties", {})
    return [name for name in instance if name not in known and not any(re.search(pattern, name) for pattern in patterns)]


def _as_json(value: Any) -> Any:
    """What JSON Schema has words for: enums by name, paths as text, and keys that are strings."""
    if isinstance(value, dict):
        return {key.name if isinstance(key, enum.Enum) else str(key): _as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_json(item) for item in value]
    if isinstance(value, enum.Enum):
        return value.name
    return str(value) if isinstance(value, PurePath) else value
