"""What a sweep has asked of each of its jobs: a config that many share, and what is another in the job's own.

Both are flat: the values as they are written, before interpolations are resolved, by their dotted keys.
"""

import hashlib
import itertools
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final, NamedTuple

from hydra_callback_kit.journal.line import END_OF_JOBS
from hydra_callback_kit.journal.masking import is_marked

EVENT: Final = "jobs_asked"
"""What the line is called in the journal."""

Flat = Mapping[str, Any]
Differences = Mapping[str, list[Any]]
"""By key the value in a list, or an empty list where there is none."""


class Asked(NamedTuple):
    """What was asked of a job.

    Attributes:
        base: the name of what it shares with others.
        differs: in what it is another.
    """

    base: str
    differs: Differences


class AskedJobs:
    """What is known of several jobs.

    Attributes:
        bases: what jobs share, by its name.
        jobs: what was asked of each, by its number.
        code: a digest of each of the app's modules; empty where nobody has said.
    """

    def __init__(self) -> None:
        self.bases: dict[str, Flat] = {}
        self.jobs: dict[int, Asked] = {}
        self.code: dict[str, str] = {}

    def add_facts(self, facts: Mapping[str, Any]) -> None:
        """Takes the facts of a line of the journal, the latest last; what no writer writes is passed by."""
        bases, asked, code = facts.get("bases"), facts.get("asked"), facts.get("code")
        if type(code) is dict and all(type(digest) is str for digest in code.values()):
            self.code = code
        for name, flat in bases.items() if type(bases) is dict else ():
            if type(flat) is dict:
                self.bases[name] = flat
        for num, said in asked.items() if type(asked) is dict else ():
            is_number = num.isdecimal() and len(num) < len(str(END_OF_JOBS))
            if is_number and type(said) is list and [*map(type, said)] == [str, dict]:
                base, differs = said
                if all(type(value) is list and len(value) < 2 for value in differs.values()):  # noqa: PLR2004  one or none
                    self.jobs[int(num)] = Asked(base, differs)

    def flat(self, num: int) -> dict[str, Any] | None:
        """The whole of what was asked of a job; None if that is not known."""
        asked = self.jobs.get(num)
        if asked is None or asked.base not in self.bases:
            return None
        return with_differences(self.bases[asked.base], asked.differs)

    def hidden_keys(self) -> set[str]:
        """The keys of values in which a secret is hidden: what they are is not known."""
        flats = itertools.chain(self.bases.values(), (job.differs for job in self.jobs.values()))
        return {key for flat in flats for key, value in flat.items() if _is_hidden(value)}


class Digests:
    """Tells jobs apart by what was asked of them.

    Args:
        asked: what that is.
        is_left_out: tells a key that does not matter.
    """

    def __init__(self, asked: AskedJobs, is_left_out: Callable[[str], bool]) -> None:
        self._asked = asked
        self._is_left_out = is_left_out
        self._bases: dict[str, dict[str, Any]] = {}

    def of(self, num: int) -> bytes | None:
        """The same for two jobs that are the same, by what matters; None if it is not known what was asked."""
        asked = self._asked.jobs.get(num)
        if asked is None or asked.base not in self._asked.bases:
            return None
        base = self._bases.get(asked.base)
        if base is None:
            flat = self._asked.bases[asked.base]
            base = self._bases[asked.base] = {key: flat[key] for key in flat if not self._is_left_out(key)}
        differs = {key: value for key, value in asked.differs.items() if not self._is_left_out(key)}
        return digest_of(with_differences(base, differs))


def with_differences(flat: Flat, differs: Differences) -> dict[str, Any]:
    """A flat config with what is another in it."""
    whole = dict(flat)
    for key, value in differs.items():
        if value:
            whole[key] = value[0]
        else:
            whole.pop(key, None)
    return whole


def differences(before: Flat, after: Flat) -> dict[str, list[Any]]:
    """Tells in what a flat config is another one: `with_differences` undoes it."""
    changed = {key: [value] for key, value in after.items() if key not in before or _text(before[key]) != _text(value)}
    return {**changed, **{key: [] for key in before if key not in after}}


def digest_of(flat: Flat) -> bytes:
    """A short name for what a flat config says; two that say the same have the same."""
    return hashlib.blake2b(_text(flat).encode("ascii"), digest_size=16).digest()


def differing_keys(before: Flat, after: Flat, is_left_out: Callable[[str], bool]) -> Iterator[str]:
    """The keys in which two flat configs differ, in the order of their names."""
    for key in sorted({*before, *after}):
        if not is_left_out(key) and (key not in before or key not in after or _text(before[key]) != _text(after[key])):
            yield key


def leaves_out(names: Collection[str]) -> Callable[[str], bool]:
    """What tells the keys that do not matter: those that are named, and all that lie below."""
    known: dict[str, bool] = {}

    def is_left_out(key: str) -> bool:
        answer = known.get(key)
        if answer is None:
            answer = known[key] = any(key == name or key.startswith((f"{name}.", f"{name}[")) for name in names)
        return answer

    return is_left_out


def _is_hidden(value: Any) -> bool:
    if isinstance(value, str):
        return is_marked(value)
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(map(_is_hidden, items))


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
