"""Parameters that a callback does not have: the error says which one was meant."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from hydra_callback_kit.hooks.parameters import ParameterError

if TYPE_CHECKING:
    from typing_extensions import Self

_TAKES_ANY_NAME: Final = 0x08
"""The flag of a function that has `**kwargs`."""


class KnownParameters:
    """A base of callbacks whose parameters are looked at by name before they are built.

    Hydra lets `+hydra.callbacks.logging_callback.levl=DEBUG` pass, and Python's own error does not say what was meant.

    Raises:
        ParameterError: if a callback is built with a parameter that it has not.
    """

    hides_what_is_given: bool = False
    """Whether no error may quote what a parameter was given: it may be a secret under a name that was mistyped."""

    def __new__(cls, *_: object, **parameters: object) -> "Self":
        """Looks at the names."""
        code = getattr(cls.__init__, "__code__", None)
        if code is None or not code.co_flags & _TAKES_ANY_NAME:
            known = () if code is None else code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
            for name, value in parameters.items():
                if name not in known:
                    raise _unknown(cls.__name__, name, "…" if cls.hides_what_is_given else value, known)
        return super().__new__(cls)


def _unknown(callback: str, parameter: str, given: object, known: Sequence[str]) -> ParameterError:
    import difflib  # noqa: PLC0415  only who mistyped needs it

    nearest = difflib.get_close_matches(parameter, known, n=1)
    allowed = f"one of {callback}'s parameters, {', '.join(known)}" if known else f"nothing: {callback} has no parameters"
    return ParameterError(parameter, given, allowed, f"Write {nearest[0]}={given}." if nearest else "Leave it out.")
