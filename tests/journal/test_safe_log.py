"""A message reaches whom it can reach, and nothing that a handler or a stream does comes through."""

import errno
import io
import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hydra_callback_kit.journal.safe_log import SafeLogger, takes_text, to_stderr

log = SafeLogger("hydra_callback_kit.test")


class Raising(logging.Handler):
    """A handler that ends the process, as some do at errors."""

    def emit(self, record: logging.LogRecord) -> None:
        """Ends it."""
        raise SystemExit(77)


class WithoutLevel(logging.NullHandler):
    """A handler whose level cannot be compared."""

    level = property(lambda _: "high", lambda _, __: None)  # type: ignore[assignment]


class Stream(io.StringIO):
    """A stream that raises."""

    def fileno(self) -> int:
        """Raises what no stream does."""
        raise RuntimeError("fileno")


@pytest.fixture
def handlers() -> Iterator[list[logging.Handler]]:
    """The root logger's."""
    root = logging.getLogger()
    before = root.handlers[:]
    yield root.handlers
    root.handlers[:] = before


@pytest.mark.parametrize("broken", [Raising(), WithoutLevel(), object()])
def test_a_broken_handler_keeps_the_message_from_no_other(handlers: list[logging.Handler], broken: logging.Handler) -> None:
    """Not by what it raises, nor by what it is."""
    stream = Stream()
    handlers[:] = [broken, logging.StreamHandler(stream)]
    log.error("a message")
    assert stream.getvalue() == "a message\n"


def test_where_nobody_has_set_up_logging_it_says_whose_word_it_is(
    handlers: list[logging.Handler], capfd: pytest.CaptureFixture[str]
) -> None:
    """As in a worker that has not come to its job yet; Python's own last resort shows nothing but the message."""
    handlers.clear()
    log.info("too little")
    log.warning("waits for %s", "a device")
    assert capfd.readouterr().err == "[hydra_callback_kit.test][WARNING] - waits for a device\n"


def test_ctrl_c_passes(handlers: list[logging.Handler]) -> None:
    """It is the user's."""
    handlers[:] = [Raising()]
    handlers[0].emit = lambda _: (_ for _ in ()).throw(KeyboardInterrupt)  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        log.error("a message")


@pytest.mark.skipif(os.name != "posix", reason="descriptors are inherited on POSIX")
def test_a_file_of_the_apps_that_has_the_number_of_stdout(tmp_path: Path) -> None:
    """It was closed, and the file got its number: nothing of ours is written into it. `dup2` is meant to be written to."""
    pid = os.fork()
    if pid == 0:
        os.close(1)
        file = os.open(tmp_path / "mine", os.O_CREAT | os.O_WRONLY)
        after_close = takes_text(sys.__stdout__) if file == 1 else None
        os.dup2(os.open(tmp_path / "log", os.O_CREAT | os.O_WRONLY), 1)
        after_dup2 = takes_text(os.fdopen(1, "w", closefd=False))
        os._exit(0 if (file, after_close, after_dup2) == (1, False, True) else 1)
    assert os.waitpid(pid, 0)[1] == 0


class At(io.StringIO):
    """A stream that says which descriptor it writes to."""

    def __init__(self, descriptor: object) -> None:
        super().__init__()
        self._descriptor = descriptor

    def fileno(self) -> int:
        """Any number, or what is none."""
        return self._descriptor  # type: ignore[return-value]


@pytest.mark.skipif(os.name != "posix", reason="descriptors are inherited on POSIX")
@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_a_standard_stream_is_one_that_programs_inherit(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """A file that got the number of one is not; of the numbers above them any file is what it says, and so is a log file."""
    asked: list[int] = []
    for inherited in (True, False):
        monkeypatch.setattr(os, "get_inheritable", lambda it, inherited=inherited: asked.append(it) or inherited)
        assert takes_text(At(number)) is (inherited or number == 3)
        assert takes_text(At(number), is_a_file=True)
    monkeypatch.setattr(os, "name", "nt")
    assert takes_text(At(number))  # nothing tells there
    assert set(asked) == {number}


@pytest.mark.parametrize(("error", "takes"), [(errno.EBADF, False), (errno.EIO, True), (None, True)])
def test_a_descriptor_that_is_closed_takes_nothing(monkeypatch: pytest.MonkeyPatch, error: int | None, takes: bool) -> None:
    """Of any other error it is not known that it is."""

    def fails(_: int) -> bool:
        raise OSError(error, "said by the system") if error else OSError("said by nobody")

    monkeypatch.setattr(os, "get_inheritable", fails)
    assert takes_text(At(1)) is takes


def test_what_is_no_stream_or_a_closed_one() -> None:
    """A stream without a descriptor takes text; one that is closed does not, whatever its descriptor is by now."""
    closed = At(1)
    closed.close()
    assert not takes_text(closed)
    assert not takes_text(closed, is_a_file=True)
    assert takes_text(None)
    assert takes_text(Stream())
    assert takes_text(At("no number"))


@pytest.mark.parametrize("kind", [lambda: None, object, Stream, Raising])
def test_any_stderr(monkeypatch: pytest.MonkeyPatch, kind: Callable[[], object]) -> None:
    """None at all, or an object of the app's."""
    stream = kind()
    monkeypatch.setattr(sys, "stderr", stream)
    to_stderr("a line")
    if isinstance(stream, Stream):
        assert stream.getvalue() == "a line\n"


def test_the_level_is_told_in_words_where_nobody_shows_it(
    handlers: list[logging.Handler], caplog: pytest.LogCaptureFixture
) -> None:
    """As on Hydra's console for jobs; one handler of several that shows it is enough."""
    stream = Stream()
    handlers[:] = [logging.StreamHandler(stream), logging.NullHandler()]
    log.caution("not %s", "enough")
    handlers.append(logging.NullHandler())
    handlers[-1].setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    log.caution("not %s", "enough")
    assert stream.getvalue() == "Warning: not enough\nnot enough\n"
    handlers[:] = [caplog.handler]
    log.caution("a word")
    assert [(record.levelno, record.name) for record in caplog.records] == [(logging.WARNING, log.name)]


def test_some_handlers_alone_are_told(handlers: list[logging.Handler], caplog: pytest.LogCaptureFixture) -> None:
    """Those of the app are not, and one that raises keeps it from none of them."""
    handlers[:] = [caplog.handler]
    own, broken, stream = logging.StreamHandler(Stream()), Raising(), logging.StreamHandler(Stream())
    stream.setFormatter(logging.Formatter("%(name)s %(levelno)d %(message)s"))
    stream.setLevel(logging.WARNING)
    log.log_to([broken, own, stream], logging.INFO, "100 %s")
    log.log_to([broken, own, stream], logging.ERROR, "over")
    assert own.stream.getvalue() == "100 %s\nover\n"
    assert stream.stream.getvalue() == f"{log.name} {logging.ERROR} over\n"
    assert not caplog.records


def test_what_is_for_developers_names_the_error(handlers: list[logging.Handler], caplog: pytest.LogCaptureFixture) -> None:
    """With the level that it has."""
    handlers[:] = [caplog.handler]
    with caplog.at_level(logging.DEBUG, log.name):
        log.debug("%s went wrong", "it", exc_info=ValueError("boom"))
    (record,) = caplog.records
    assert (record.levelno, record.getMessage()) == (logging.DEBUG, "it went wrong")
    assert record.exc_info is not None
    assert str(record.exc_info[1]) == "boom"


def test_a_message_is_said_from_where_it_was_called(
    handlers: list[logging.Handler], caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever searches the code for it finds the line."""
    handlers[:] = [caplog.handler]
    log.error("here")
    (record,) = caplog.records
    assert (record.filename, record.funcName) == (Path(__file__).name, "test_a_message_is_said_from_where_it_was_called")


@pytest.mark.parametrize(("encoding", "written"), [("utf-8", "é → ☃\n"), ("ascii", "\\xe9 \\u2192 \\u2603\n")])
def test_stderr_takes_what_its_encoding_has_no_letters_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, encoding: str, written: str
) -> None:
    """It is spelled out. What the stream has not written itself yet stays where it is."""
    file = tmp_path / "stderr"
    with file.open("w", encoding=encoding) as stream:
        os.set_inheritable(stream.fileno(), True)
        monkeypatch.setattr(sys, "stderr", stream)
        stream.write("later\n")
        to_stderr("é → ☃")
        assert file.read_bytes() == written.encode(encoding)
    to_stderr("to one that is closed")
    assert file.read_text(encoding) == f"{written}later\n"
