"""Texts without the secrets that they carry.

What hides a secret is `<redacted 48213>`: two different secrets have two numbers, so that nothing that is grouped by them
is mixed up. The number comes from the secret and a key that is made for each run and is on no record, so that it tells
nobody anything. A sweep that goes on makes another key, and gives the secrets that it is given again the numbers on record.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

MIN_SECRET: Final = 6
"""A secret of fewer characters is hidden where it is the whole text; it is not looked for in other texts."""
MAX_KNOWN: Final = 1_000
"""So many secrets of a run are known to a process; the oldest go first."""
_MAX_RUNS: Final = 8
"""The log is searched for the secrets of so many runs."""

MARK: Final = r"<redacted [0-9]+>"
"""The pattern of what stands for a secret."""

_IN_URL: Final = r"(?<=://)([^\s/:@]*):([^\s/@$<][^\s/@]*)(?=@)"
"""The user and the password of an address such as `postgres://me:secret@host/db`."""


def mark_of(secret: str, key: bytes) -> str:
    """What is written in the place of a secret.

    Args:
        secret: the secret's text.
        key: random, the run's own.
    """
    import hashlib  # noqa: PLC0415  most runs have no secret
    import hmac  # noqa: PLC0415  the same

    if is_mark(secret):
        return secret
    digest = hmac.new(key, secret.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
    return f"<redacted {int.from_bytes(digest[:8], 'big') % 90_000 + 10_000}>"


def is_marked(text: str) -> bool:
    """Tells whether a secret has been hidden in a text."""
    return "<redacted " in text and re.search(MARK, text) is not None


def is_mark(text: str) -> bool:
    """Tells whether a text is nothing but what stands for a secret."""
    return re.fullmatch(MARK, text) is not None


def with_the_marks_of(first: Iterable[str], overrides: Iterable[str]) -> tuple[str, ...]:
    """Overrides whose hidden values have the numbers of an earlier attempt, for another process makes numbers of its own.

    A secret that is given again counts as the one whose place it takes.
    """
    marked = {_key_of(override): override for override in first if is_marked(override)}
    return tuple(marked.get(_key_of(each), each) if is_marked(each) else each for each in overrides)


def pairs_of_marks(first: Iterable[str], overrides: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The marks of some overrides, each with the mark that stands in its place in earlier ones.

    Args:
        first: the earlier overrides.
        overrides: those that are given again.

    Yields:
        The mark, and the earlier one, where the rest of the override is the same.
    """
    marked = {_key_of(override): override for override in first if is_marked(override)}
    for override in filter(is_marked, overrides):
        before = marked.get(_key_of(override), "")
        if re.sub(MARK, "", before.lstrip("+")) == re.sub(MARK, "", override.lstrip("+")):
            yield from zip(re.findall(MARK, override), re.findall(MARK, before), strict=False)


def _key_of(override: str) -> str:
    return override.partition("=")[0].lstrip("+")


def quoted_marks(override: str) -> str:
    """An override whose value is a mark, in the quotes that Hydra's grammar wants."""
    return re.sub(rf"=({MARK})$", r"='\1'", override)


def unquoted_marks(override: str) -> str:
    """Undoes `quoted_marks`."""
    return re.sub(rf"='({MARK})'$", r"=\1", override)


def passwords_in(text: str) -> list[str]:
    """The passwords of the addresses in a text."""
    return [found[2] for found in re.finditer(_IN_URL, text)] if "://" in text else []


class Secrets:
    """The secrets of a run, as far as the process knows them.

    Args:
        key: what the numbers of the marks are made with.
        never_inside: words that are no secret inside another text, in lower case: a password that is `password` would make
            every key unreadable. As a whole text they are hidden.
    """

    def __init__(self, key: bytes, never_inside: Iterable[str] = ()) -> None:
        self._key = key
        self._never_inside = frozenset(never_inside)
        self._marks: dict[str, str] = {}
        self._inside: _Inside | None = None
        self._earlier: dict[str, str] = {}

    def mark(self, secret: str) -> str:
        """What is written in the place of a secret."""
        mark = mark_of(secret, self._key)
        return self._earlier.get(mark, mark)

    def count_as(self, earlier: Mapping[str, str]) -> None:
        """Gives secrets the marks that they had before.

        Args:
            earlier: the mark that is on record, by the one that the key would make.
        """
        if earlier.items() - self._earlier.items():
            self._earlier |= earlier
            known, self._marks = self._marks, {}
            self.learn(known)

    def learn(self, texts: Iterable[str]) -> bool:
        """Takes secrets in: from now on they are hidden.

        Args:
            texts: the secrets; blank ones and marks are passed by.

        Returns:
            Whether one of them was not known.
        """
        new = {text for text in texts if text not in self._marks and text.strip() and not is_mark(text)}
        if not new:
            return False
        from hydra_callback_kit.journal.secret_patterns import patterns_of  # noqa: PLC0415  most runs have no secret

        marks = {**self._marks, **{text: self.mark(text) for text in sorted(new)}}
        for text in list(marks)[: max(len(marks) - MAX_KNOWN, 0)]:
            del marks[text]
        patterns = [
            (pattern, marks[text])
            for text in sorted(marks, key=lambda text: (len(text), text), reverse=True)
            if text.lower() not in self._never_inside
            for pattern in patterns_of(text, MIN_SECRET)
        ]
        self._marks, self._inside = marks, _Inside(patterns) if patterns else None
        _remember(self)
        return True

    def texts(self) -> list[str]:
        """The secrets that are known."""
        return list(self._marks)

    def hide(self, text: str) -> str:
        """A text without the secrets in it; one that is a secret as a whole is a mark."""
        return self._marks[text] if text in self._marks else self.hide_inside(text)

    def hide_inside(self, text: str) -> str:
        """The same for a name, which is no secret because a short secret is spelled like it."""
        inside = self._inside
        return text if inside is None else inside.hide(text)

    def hide_inside_all(self, names: Iterable[Any]) -> Iterable[Any]:
        """The same for several, of which some may be no texts."""
        inside = self._inside
        return names if inside is None else [inside.hide(name) if isinstance(name, str) else name for name in names]


class _Inside:
    """Finds secrets inside of texts.

    Args:
        patterns: what matches a secret, and its mark; the first that matches counts.
    """

    def __init__(self, patterns: Sequence[tuple[str, str]]) -> None:
        self._marks = [mark for _, mark in patterns]
        self._pattern = re.compile("|".join([MARK, *(f"({pattern})" for pattern, _ in patterns)]))

    def hide(self, text: str) -> str:
        """A text without the secrets in it; marks stay."""
        return self._pattern.sub(
            lambda found: found[0] if found.lastindex is None else self._marks[found.lastindex - 1], text
        )


_recent: list[Secrets] = []
"""Of the runs that this process has last learned a secret of."""


def _remember(secrets: Secrets) -> None:
    _recent[:] = [*(each for each in _recent if each is not secrets), secrets][-_MAX_RUNS:]


def knows_secrets() -> bool:
    """Tells whether this process has learned a secret."""
    return bool(_recent)


def without_known_secrets(text: str) -> str:
    """A text, such as a line of the log, without the secrets of the runs that this process has last had."""
    for secrets in reversed(_recent):
        text = secrets.hide(text)
    return text
