"""What to look for to find a secret in other texts, however it is quoted: for Python, JSON, a shell, a URL or a page."""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

_ESCAPES: Final = 16
"""So many backslashes may stand before a character that is quoted once more and once more."""

_NAMED: Final = {
    "\a": r"a",
    "\b": r"b",
    "\f": r"f",
    "\r": r"r",
    "\t": r"t",
    "\v": r"v",
    " ": r"\+",
    '"': r"&quot;",
    "&": r"&amp;",
    "<": r"&lt;",
    ">": r"&gt;",
}
_QUOTE: Final = rf"""'(?:\\{{0,{_ESCAPES}}}"\\{{0,{_ESCAPES}}}'\\{{0,{_ESCAPES}}}"|\\{{0,{_ESCAPES}}})?\\{{0,{_ESCAPES}}}'"""
"""How a quote is written between quotes, by a shell (`'"'"'`) and by YAML (`''`)."""


def patterns_of(secret: str, shortest: int) -> list[str]:
    """Regular expressions, without groups, one of which matches wherever the secret stands.

    Args:
        secret: the secret.
        shortest: what has fewer characters would be found in harmless words, and is not looked for.

    Returns:
        One for the secret as a whole, and for one of several lines, such as a private key, one for each line.
    """
    texts = dict.fromkeys(text.strip() for text in _texts(secret))
    return [_pattern(text) for text in texts if len(text) >= shortest]


def _texts(secret: str) -> Iterator[str]:
    yield secret
    yield unquote(secret)  # the password of an address is written as a URL wants it
    lines = secret.splitlines()
    if len(lines) > 1:
        yield "\n".join(line.strip() for line in lines)
        yield from (line for line in lines if not re.fullmatch(r"\s*-----[A-Z0-9 ]+-----\s*", line))


def _pattern(text: str) -> str:
    parts, backslashes = [], 0
    for letter in text:
        if letter == "\\":
            backslashes += 1
            continue
        if backslashes or not ((letter.isalnum() and letter.isascii()) or letter == "\n"):
            parts.append(_backslashes(backslashes))
        parts.append(_letter(letter))
        backslashes = 0
    return "".join(parts) + (_backslashes(backslashes) if backslashes else "")


def _backslashes(count: int) -> str:
    """So many of the secret's own, each perhaps doubled a few times, and those that quote what comes next."""
    if not count:
        return rf"\\{{0,{_ESCAPES}}}"
    quoted = _percent("\\") + r"|&#(?:92|x5c);"
    return rf"(?:\\{{{count},{(count + 1) * _ESCAPES}}}|(?:{quoted}){{{count}}}\\{{0,{_ESCAPES}}})"


def _letter(letter: str) -> str:
    if letter.isalnum() and letter.isascii():
        return letter
    if letter == "\n":
        return _LINE_BREAK
    code = ord(letter)
    ways = [_QUOTE] if letter == "'" else []
    ways += [re.escape(letter), _percent(letter), f"&#(?:{code}|[xX]{_hex(f'{code:x}')});"]
    ways += [_NAMED[letter]] if letter in _NAMED else []
    ways += [f"x{_hex(f'{code:02x}')}"] if code < 1 << 8 else []
    units = letter.encode("utf-16-be", "surrogatepass").hex()
    pairs = [_hex(units[start : start + 4]) for start in range(0, len(units), 4)]
    between = rf"\\{{1,{_ESCAPES}}}u"
    ways += [f"u{between.join(pairs)}", f"U{_hex(f'{code:08x}')}"]
    return f"(?:{'|'.join(ways)})"


def _percent(letter: str) -> str:
    return "".join(f"%(?:25)*{_hex(f'{byte:02x}')}" for byte in letter.encode("utf-8", "surrogatepass"))


def _hex(digits: str) -> str:
    return "".join(digit if digit.isdigit() else f"[{digit}{digit.upper()}]" for digit in digits)


_LINE_BREAK: Final = (
    rf"\s{{0,80}}(?:\\{{0,{_ESCAPES}}}(?:r\\{{1,{_ESCAPES}}})?n|(?:{_percent(chr(13))})?{_percent(chr(10))})?\s{{0,80}}"
)
"""Also where lines were joined or indented."""
