"""A tracker that fails, hangs or leaves costs the job what it was given, and one warning."""

import logging
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from hook_calls import config_of, job_of, pickled

from hydra_callback_kit.journal.safe_log import SafeLogger
from hydra_callback_kit.trackers.patience import Patience, Tracker, patience_of

IT = Tracker("it", "It", ("IT_",), ("noisy",))
LOG = SafeLogger("hydra_callback_kit.it")


def patience_in(tmp_path: Path) -> Patience:
    """How a single run asks it."""
    return patience_of(config_of(tmp_path), IT, LOG)


def hang() -> None:
    """Never answers."""
    threading.Event().wait()


def raise_(error: BaseException) -> Any:
    """Raises it."""
    raise error


def test_an_answer_is_given(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What the request returns is returned, and nothing is said."""
    assert patience_in(tmp_path).ask("the start", lambda: 3, 10) == 3
    assert caplog.messages == []


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(3), KeyboardInterrupt(), RecursionError()])
def test_whatever_is_raised_is_said_once(tmp_path: Path, error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing passes; the second time it is only for who debugs; and the next request is made all the same."""
    patience = patience_in(tmp_path)
    for _ in range(2):
        assert patience.ask("the start", lambda: raise_(error), 10) is None
    (said,) = (record.getMessage() for record in caplog.records if record.levelno == logging.WARNING)
    assert type(error).__name__ in said
    assert "The job is not affected" in said
    assert f"hydra-callback-kit sync {tmp_path} --to it" in said
    assert patience.ask("the end", lambda: 3, 10) == 3


def test_what_hangs_is_not_asked_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The caller waits as long as it said; whoever shares the patience asks no more, and so do the jobs."""
    run = config_of(tmp_path, mode="MULTIRUN")
    patience = patience_of(run, IT, LOG)
    started_s = time.monotonic()
    assert patience.ask("the start", hang, 0.1) is None
    assert time.monotonic() - started_s < 5
    assert patience.gave_up
    assert patience.ask("the end", lambda: 3, 10) is None
    (said,) = (record.getMessage() for record in caplog.records if record.levelno == logging.WARNING)
    assert "no answer within 0.1 s" in said
    job = pickled(job_of(run, num=0, id="0"))
    from hydra_callback_kit.trackers import patience as module  # noqa: PLC0415  as a worker begins

    module._known.clear()
    assert patience_of(job, IT, LOG).gave_up
    assert not patience_of(job, IT._replace(name="another"), LOG).gave_up


def test_what_goes_on_does_not_hang(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A tracker that takes in what it is given, and is given too much, is asked again; it is waited for no longer."""
    patience, enough = patience_in(tmp_path), threading.Event()

    def go_on() -> None:
        while not enough.wait(0.01):
            patience.was_answered()

    started_s = time.monotonic()
    assert patience.ask("the end", go_on, 0.3) is None
    assert time.monotonic() - started_s < 5
    enough.set()
    assert not patience.gave_up
    assert patience.ask("the next start", lambda: 3, 10) == 3
    (said,) = (record.getMessage() for record in caplog.records if record.levelno == logging.WARNING)
    assert "not all was sent within 0.3 s" in said
    assert f"hydra-callback-kit sync {tmp_path} --to it" in said
    patience.ask("another", hang, 0.1)
    assert patience.gave_up


def test_the_command_has_the_address(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Where `sync` takes it, and never with what is secret in it."""
    patience = patience_of(
        config_of(tmp_path), IT._replace(takes_address=True), LOG, "http://me:one-secret@there/?token=two"
    )
    patience.ask("the start", lambda: raise_(ValueError("no")), 10)
    assert f"hydra-callback-kit sync {tmp_path} --to it --address http://there/" in caplog.text
    assert "one-secret" not in caplog.text
    assert "two" not in caplog.text


def test_no_request_outlives_the_process() -> None:
    """The thread that hangs does not keep Python from its end."""
    patience_thread = [thread for thread in threading.enumerate() if thread.name == "hydra_callback_kit tracker"]
    assert all(thread.daemon for thread in patience_thread)


def test_no_credentials_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Not those of the address, whether the config has it or the library, nor those of the environment."""
    monkeypatch.setenv("IT_TRACKING_TOKEN", "from-the-environment")
    patience = patience_of(config_of(tmp_path), IT, LOG, "http://me:from-the-address@there/?token=from-the-query")
    said = "http://me:from-the-address@there/x?token=from-the-query http://other:one@there from-the-address"
    said += " and from-the-environment"
    patience.ask("the start", lambda: raise_(ValueError(said)), 10)
    for secret in ("from-the-address", "from-the-environment", "from-the-query", "other", "one@"):
        assert secret not in caplog.text
    assert "http://there/x" in caplog.text


def test_what_the_library_says_to_the_app_passes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What it says in our requests we say ourselves."""
    noisy = logging.getLogger("noisy.library")
    patience_in(tmp_path).ask("the start", lambda: noisy.warning("retrying, ours"), 10)
    noisy.warning("retrying, the app's")
    assert caplog.messages == ["retrying, the app's"]


def test_no_thread_can_be_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """The user's limit is met, or the interpreter ends."""
    monkeypatch.setattr(threading.Thread, "start", lambda self: raise_(RuntimeError("can't start new thread")))
    assert patience_in(tmp_path).ask("the start", lambda: 3, 10) is None
    assert "can't start new thread" in caplog.text
    assert sys.exc_info() == (None, None, None)
