"""What to look for to find a secret in other texts, however it is quoted: for Python, JSON, a shell, a URL or a page.

A text may be long and hostile. So no two parts of an expression that follow one another can take the same characters in
more than a few ways: quotes and backslashes in a row are one part, and so is white space that breaks a line.
"""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

_ESCAPES: Final = 16
"""So many backslashes may stand before a character that is quoted once more and once more."""

_PARTS: Final = re.compile(r"""(?P<quotes>[\\'"]+)|(?P<break>\s*\n\s*)|(?P<plain>[0-9A-Za-z]+)|(?P<other>.)""", re.DOTALL)
_QUOTE: Final = (
    r"""(?:[\\'"]|%(?:25)*(?:5[cC]|2[27])|&(?:quot|apos|#(?:39|34|92|[xX](?:27|22|5[cC])));|(?:u00|x)(?:5[cC]|2[27]))"""
)
"""A quote, a backslash, or what quotes one."""
_WHITE: Final = rf"(?:\s|\+|\\{{1,{_ESCAPES}}}[abfnrtv]|%(?:25)*(?:0[9a-dA-D]|20))"
_LONGEST_BREAK: Final = 200
"""Characters of white space where lines are joined or indented."""
_NAMED: Final = {
    "\a": "a",
    "\b": "b",
    "\f": "f",
    "\r": "r",
    "\t": "t",
    "\v": "v",
    " ": r"\+",
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
}


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
    made, follows_quotes = [], False
    for part in _PARTS.finditer(text):
        if part["quotes"]:
            count = len(part[0])
            made.append(f"{_QUOTE}{{{count},{(count + 1) * _ESCAPES}}}")
        elif part["break"]:
            made.append(f"{_WHITE}{{0,{_LONGEST_BREAK}}}")
        elif part["plain"]:
            made.append(part[0])
        else:
            made.append(("" if follows_quotes else rf"\\{{0,{_ESCAPES}}}") + _letter(part[0]))
        follows_quotes = bool(part["quotes"])
    return "".join(made)


def _letter(letter: str) -> str:
    code = ord(letter)
    ways = [re.escape(letter), _percent(letter), f"&#(?:{code}|[xX]{_hex(f'{code:x}')});"]
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
