"""Apprise, which knows a hundred ways to tell somebody something: the only file that speaks to it.

It is imported where it is used: that takes a second, in which it loads all of its services.
"""

import contextvars
import functools
import importlib.util
import logging
import re
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

if TYPE_CHECKING:
    from hydra_callback_kit.views.message import Message

_SCHEME: Final = re.compile(r"\s*([A-Za-z][A-Za-z0-9+.-]{0,40})://\S")
_BETWEEN: Final = re.compile(r"\s+(?=[A-Za-z][A-Za-z0-9+.-]*://)")
_SHORTEST: Final = 3
"""Characters of a part of a url that is hidden: fewer tell nothing."""

MAX_REASON: Final = 300
"""Characters of a reason."""
_OF_SYSTEM: Final = re.compile(r"""\[Errno -?[0-9]+\] [^"'()]+|timed out|SSL[A-Za-z]*Error""")
"""What the operating system says, in an error of several layers."""

LATE: Final = "no answer in time"
"""What is said of a service that has not said anything."""


def scheme_of(url: str) -> str | None:
    """What stands before `://`, in lower case; None where nothing does."""
    found = _SCHEME.match(url)
    return found[1].lower() if found else None


def urls_in(text: str) -> list[str]:
    """The urls of a text, such as an environment variable, that has one or several, apart by white space."""
    return _BETWEEN.split(text.strip()) if text.strip() else []


def named(url: str) -> str:
    """A url as people may see it: `slack://…`."""
    scheme = scheme_of(url)
    return "…" if scheme is None else f"{scheme}://…"


def may_be_known(scheme: str) -> bool:
    """Whether Apprise has a service of that scheme, as far as its source tells, which takes a hundredth of asking it."""
    found = importlib.util.find_spec("apprise")
    folder = Path(found.origin or "").parent / "plugins" if found else Path()
    quoted = re.compile(rb"protocol\b[^#]{0,200}?[\"']" + re.escape(scheme.encode()) + rb"[\"']")
    return any(quoted.search(file.read_bytes()) for file in sorted(folder.rglob("*.py")))


def nearest_scheme(scheme: str) -> str | None:
    """The scheme of Apprise's that is most like this one."""
    import difflib  # noqa: PLC0415  only who mistyped needs it

    schemes = sorted({name for service in _apprise().Apprise().details()["schemas"] for name in _schemes(service)})
    return next(iter(difflib.get_close_matches(scheme, schemes, n=1)), None)


def refused(url: str) -> str | None:
    """Why Apprise does not take a url, without anything of it; None if it does."""
    heard = _listen()
    try:
        service = _apprise().Apprise.instantiate(url)
    except Exception as error:  # noqa: BLE001  a service may raise anything
        return hidden(url, str(error)) or "it cannot be read"
    return None if service is not None else _said(url, heard) or "it cannot be read"


def send(urls: Sequence[str], message: "Message", timeout_s: float) -> list[str | None]:
    """Sends a message to several services at once.

    Args:
        urls: where to.
        message: what.
        timeout_s: how long it may take, in seconds. What takes longer is left to itself, in a thread that ends with the
            process.

    Returns:
        For each url why it was not accepted, without anything of the url; None where it was.
    """
    _apprise()  # however long that takes, no service is to be blamed for it
    until_s = time.monotonic() + timeout_s
    tries = [_Try(url, message) for url in urls]
    for each in tries:
        each.start()
    for each in tries:
        each.join(max(0.0, until_s - time.monotonic()))
    return [LATE if each.is_alive() else each.why_not for each in tries]


def hidden(url: str, text: str) -> str:
    """A text without any part of a url: of `slack://a/b/c` each is a secret, and an error may quote one alone."""
    whole = url.strip().partition("://")[2]
    parts = {part for some in (whole, unquote(whole)) for part in (some, *re.split(r"[/:@?&=#,;+\s]+", some))}
    for part in sorted(parts, key=len, reverse=True):
        if len(part) >= _SHORTEST:
            text = text.replace(part, "…")
    return text


class _Try(threading.Thread):
    def __init__(self, url: str, message: "Message") -> None:
        super().__init__(name="hydra_callback_kit notification", daemon=True)
        self.why_not: str | None = "it was not tried"
        self._url = url
        self._message = message

    def run(self) -> None:
        heard, title = _listen(), self._message.title
        try:
            service = _apprise().Apprise()
            was_sent = service.add(self._url) and service.notify(
                self._message.body, title=title, notify_type=self._message.kind, body_format="text"
            )
        except BaseException as error:  # noqa: BLE001  a service may raise anything
            self.why_not = hidden(self._url, f"{type(error).__name__}: {error}")
        else:
            self.why_not = None if was_sent else _said(self._url, heard) or "it was not accepted"


_heard: contextvars.ContextVar[list[logging.LogRecord] | None] = contextvars.ContextVar("heard", default=None)


class _Ear(logging.Handler):
    """Keeps what Apprise says for who has asked it, and from everybody else: it may quote a url."""

    def emit(self, record: logging.LogRecord) -> None:
        heard = _heard.get()
        if heard is not None:
            heard.append(record)


def _listen() -> list[logging.LogRecord]:
    _apprise()
    heard: list[logging.LogRecord] = []
    _heard.set(heard)
    return heard


def _said(url: str, heard: Sequence[logging.LogRecord]) -> str:
    """Why something failed, as Apprise says it: its warnings, and the reason that it has from the operating system."""
    texts = [record.getMessage() for record in heard]
    said = [text for record, text in zip(heard, texts, strict=True) if record.levelno >= logging.WARNING]
    said = [text for text in said if not text.startswith("Could not load")] or said
    said += [found[0] for text in texts if text.startswith("Socket Exception") for found in _OF_SYSTEM.finditer(text)]
    return hidden(url, " ".join(" ".join(dict.fromkeys(said)).split()))[:MAX_REASON]


@functools.cache
def _apprise() -> Any:
    import apprise  # noqa: PLC0415  see above

    log = logging.getLogger("apprise")
    log.addHandler(_Ear())
    log.setLevel(logging.DEBUG)
    log.propagate = False
    return apprise


def _schemes(service: Any) -> list[str]:
    return [*(service["protocols"] or ()), *(service["secure_protocols"] or ())]
