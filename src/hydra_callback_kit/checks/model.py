"""A config against a pydantic model, a dataclass or any other type that pydantic validates."""

from collections.abc import Mapping, Sequence
from typing import Any

from hydra_callback_kit.checks.violation import ABSENT, Violation, dotted
from hydra_callback_kit.journal.errors import message_of


class ModelCheck:
    """Checks configs against a type.

    Args:
        model: what pydantic's TypeAdapter takes.

    Raises:
        ImportError: if pydantic is not installed.
        TypeError: if pydantic cannot validate it.
    """

    def __init__(self, model: Any) -> None:
        import pydantic  # noqa: PLC0415  an optional dependency, slow to import

        try:
            self._adapter: Any = pydantic.TypeAdapter(model)
        except pydantic.errors.PydanticUserError as error:
            raise TypeError(str(error).partition("\n")[0]) from error
        self._error = pydantic.ValidationError

    def violations(self, values: Mapping[str, Any]) -> list[Violation]:
        """Finds what the model does not accept; what it would make of the values is dropped.

        Args:
            values: the config as plain values.
        """
        try:
            self._adapter.validate_python(values)
        except self._error as error:
            return [_violation(details, values) for details in error.errors(include_url=False, include_context=False)]
        except Exception as error:  # noqa: BLE001  a validator of the user's may raise anything: it was not accepted
            return [Violation("", f"is not accepted by the model: {type(error).__name__}: {message_of(error)}")]
        return []


def _violation(details: Mapping[str, Any], values: Mapping[str, Any]) -> Violation:
    key = dotted(_path(details["loc"], values))
    if details["type"] == "missing":
        return Violation(key, "is required and not there")
    return Violation(key, details["msg"], details.get("input", ABSENT))


def _path(location: Sequence[str | int], values: Any) -> list[str | int]:
    """Pydantic names which member of a union it tried in the middle of the path; a config has no such key."""
    path: list[str | int] = []
    for position, step in enumerate(location):
        try:
            values = values[step]
        except (KeyError, IndexError, TypeError):
            if position < len(location) - 1:
                continue
        path.append(step)
    return path
