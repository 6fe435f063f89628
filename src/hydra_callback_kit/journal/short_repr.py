"""Python's own abbreviating `repr`, so that a list of a million items is not spelled out to be cut."""

import reprlib
from collections.abc import Callable
from typing import Any


class ShortRepr(reprlib.Repr):
    """Represents a value in a few words, without secrets: they are hidden first, and what is left is cut.

    Args:
        longest: characters of a text or of an object's own `repr`.
        hide: takes the secrets out of a text, if there are any.
    """

    def __init__(self, longest: int, hide: Callable[[str], str] | None) -> None:
        super().__init__()
        self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = self.maxdict = 10
        self.maxstring = self.maxother = longest
        self.maxlevel = 2
        self._hide = hide

    def repr_str(self, text: str, level: int) -> str:
        """Represents a text."""
        return super().repr_str(text if self._hide is None else self._hide(text), level)

    def repr_instance(self, value: Any, level: int) -> str:
        """Represents what is no container of Python's."""
        spelled = value
        if self._hide is not None:
            try:
                spelled = _Spelled(self._hide(repr(value)))
            except Exception:  # noqa: BLE001  a `__repr__` may raise anything: Python says what stands in its place
                spelled = value
        return super().repr_instance(spelled, level)


class _Spelled:
    """Has a text for its `repr`."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text
