"""End to end: what people are told of a run, by real servers that take it, or do not; and that no url is seen anywhere."""

import contextlib
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from apps import HYDRA_VERSION, App
from message_servers import Inbox, closed_port, http_server, mail_server, silent_server
from ranks import start_ranks, torchrun_rank
from terminal import cli

from hydra_callback_kit.journal.reader import read_run

SAID_TO_NOBODY = "tok-5e1f7a9c"
CONFIG = """
defaults:
  - callbacks: [notification_callback, logging_callback]
  - _self_
x: 0
hydra:
  callbacks:
    notification_callback:
      urls: ${oc.env:NOTIFY_URL}
"""
FAILS = "if cfg.x in (1, 2):\n    raise ValueError('boom')\nreturn cfg.x**2"
PARAMETER = "hydra.callbacks.notification_callback."


def url_to(inbox: Inbox) -> str:
    """The url of a server."""
    return f"json://127.0.0.1:{inbox.port}/{SAID_TO_NOBODY}?a=b#c"


def until(is_so: Callable[[], object]) -> None:
    """Waits for what another process does."""
    until_s = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < until_s
        time.sleep(0.02)


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    """A server that takes messages."""
    with http_server() as inbox:
        yield inbox


def files_with(token: str, directory: Path) -> list[str]:
    """The files in which a secret stands."""
    return [str(file) for file in directory.rglob("*") if file.is_file() and token.encode() in file.read_bytes()]


def test_the_end_of_a_sweep_is_told(app: App, launcher: str, inbox: Inbox) -> None:
    """One message with what a person wants to know, and the url nowhere: not in what is sent to workers either."""
    app.write(FAILS, CONFIG)
    done = app.sweep(launcher, "x=0,1,3", f"{PARAMETER}events=[end]", NOTIFY_URL=url_to(inbox))
    assert done.code == 1
    (message,) = inbox.messages
    assert message["title"] == "app: sweep FAILED: 2 completed, 1 failed"
    assert message["type"] == "failure"
    best, error, took, directory = message["message"].split("\n")
    assert best == "best: job 2, with return_value 9 (max): x=3"
    assert error == "first error: job 1 (x=1): ValueError: boom"
    assert re.fullmatch(r"took .+ on \S+", took)
    assert directory == str(app.directory / "out")
    assert inbox.paths == [f"/{SAID_TO_NOBODY}"]
    assert files_with(SAID_TO_NOBODY, app.directory) == []
    assert SAID_TO_NOBODY not in done.stdout + done.stderr


def test_a_url_that_is_given_as_it_is_stands_nowhere(app: App, launcher: str, inbox: Inbox) -> None:
    """In the config's file and on the command line; not in what Hydra saves, nor in what is sent to workers."""
    literal = f"json://127.0.0.1:{inbox.port}/other-6c2d8b?a=b"
    app.write("return cfg.x", CONFIG.replace("${oc.env:NOTIFY_URL}", f"['{literal}']"))
    typed = f"{PARAMETER}urls=['{url_to(inbox)}']"
    for arguments in (["x=1,2"], ["x=3,4", typed]):
        done = app.sweep(launcher, *arguments, f"hydra.sweep.dir=out/{len(arguments)}")
        assert (done.code, done.stderr) == (0, "") or launcher != "basic"
        assert SAID_TO_NOBODY not in done.stdout + done.stderr
        assert "other-6c2d8b" not in done.stdout + done.stderr
    assert inbox.paths == ["/other-6c2d8b", f"/{SAID_TO_NOBODY}"]
    assert files_with(SAID_TO_NOBODY, app.directory) == []
    left = files_with("other-6c2d8b", app.directory / "out")
    if HYDRA_VERSION >= (1, 4):  # it sends the config's files themselves to its workers
        left = [file for file in left if not file.endswith("_submitted.pkl")]
    assert left == []
    saved = (app.directory / "out" / "2" / "0" / ".hydra" / "hydra.yaml").read_text("utf-8")
    assert f"{PARAMETER}urls=['redacted']" in saved
    assert "<redacted" in (app.directory / "out" / "1" / "multirun.yaml").read_text("utf-8")


def test_a_url_under_a_key_of_the_apps_own_is_a_secret_as_well(app: App, launcher: str, inbox: Inbox) -> None:
    """As it is in the config, typed, or read from the environment; the app's other secrets stay where Hydra has them."""
    literal, typed = f"json://127.0.0.1:{inbox.port}/it's-6c2d8b?a=b", f"json://127.0.0.1:{inbox.port}/{SAID_TO_NOBODY}"
    config = CONFIG.replace("${oc.env:NOTIFY_URL}", '["${mine}", "${in_env}", "${more}"]')
    keys = f'mine: "{literal}"\nmore: null\nin_env: ${{oc.env:NOTIFY_URL}}\npassword: app-secret\nx: 0\n'
    app.write("if cfg.x == 1: raise ValueError(cfg.mine + cfg.more + cfg.in_env)", config.replace("x: 0\n", keys))
    in_env = f"json://127.0.0.1:{inbox.port}/env-77aa31"
    words = ["x=0,1", f"more='{typed}'"]
    done = app.sweep(launcher, *words, "+callbacks=provenance_callback", NOTIFY_URL=in_env)
    assert done.code == 1
    assert "The end" not in done.stdout
    for token in ("6c2d8b", SAID_TO_NOBODY, "env-77aa31"):
        assert any(token in path for path in inbox.paths), token
        left = files_with(token, app.directory / "out")
        assert [file for file in left if not file.endswith(".pkl")] == []
    saved = (app.directory / "out" / "0" / ".hydra" / "config.yaml").read_text("utf-8")
    assert "password: app-secret\n" in saved
    assert "mine: <redacted" in saved


def test_a_single_run(app: App, inbox: Inbox) -> None:
    """One message for each, also where its failure alone is asked for; and none where it has not failed."""
    app.write(FAILS, CONFIG)
    given = url_to(inbox)
    assert app.run("x=3", NOTIFY_URL=given).code == 0
    assert app.run("x=1", "hydra.run.dir=b", NOTIFY_URL=given).code == 1
    assert app.run("x=3", "hydra.run.dir=c", f"{PARAMETER}events=[failure,abort]", NOTIFY_URL=given).code == 0
    assert app.run("x=1", "hydra.run.dir=d", f"{PARAMETER}events=[first_failure]", NOTIFY_URL=given).code == 1
    assert inbox.titles == ["app: run COMPLETED", "app: run FAILED", "app: run FAILED"]
    assert inbox.messages[0]["message"].startswith("result: 9\ntook ")
    assert inbox.messages[1]["message"].startswith("error: ValueError: boom\ntook ")


def test_failures_are_told_while_the_sweep_runs(app: App, inbox: Inbox) -> None:
    """The first at once; those that come within the interval together, in the next message; a template says what of it."""
    body = """
    while cfg.x == 4 and not os.path.exists("go on"):
        time.sleep(0.02)
    raise ValueError(f"boom {cfg.x}")
    """
    app.write(body, CONFIG)
    template = f"{PARAMETER}template='{{event}}|{{status}}|{{failed}}|{{error}}'"
    process = app.start("-m", "x=1,2,3,4", f"{PARAMETER}min_interval_s=0.5", template, NOTIFY_URL=url_to(inbox))
    until(lambda: "job 2" in "".join(message["message"] for message in inbox.messages))
    (app.directory / "go on").touch()
    process.communicate(timeout=60)
    assert process.returncode == 1
    told = [message["message"].split("|") for message in inbox.messages]
    assert [event for event, *_ in told] == ["failure"] * (len(told) - 1) + ["end"]
    assert {status for _, status, *_ in told[:-1]} == {"RUNNING"}
    lines = [line for _, _, failed, _ in told[:-1] for line in failed.split("\n")]
    assert lines == [f"job {x - 1} (x={x}): ValueError: boom {x}" for x in (1, 2, 3)]
    assert told[-1][1:] == ["FAILED", "job 3 (x=4): ValueError: boom 4", "job 0 (x=1): ValueError: boom 1"]


def test_many_failures_are_few_messages(app: App, inbox: Inbox) -> None:
    """Sixty jobs fail in several processes: one message a minute at most, and the end's."""
    app.write("raise ValueError('boom')", CONFIG.replace("logging_callback", "compose_once_callback"))
    started_s = time.monotonic()
    done = app.sweep("joblib", "x=range(60)", NOTIFY_URL=url_to(inbox), timeout_s=300)
    minutes = (time.monotonic() - started_s) // 60
    assert done.code == 1
    assert inbox.titles[-1] == "app: sweep FAILED: 60 failed"
    assert len(inbox.messages) <= 2 + minutes


@contextlib.contextmanager
def refusing() -> Iterator[int]:
    """The port of a server that answers each message with an error."""
    with http_server(500) as inbox:
        yield inbox.port
        assert len(inbox.messages) == 1


@pytest.mark.parametrize(
    ("server", "said"),
    [
        (
            silent_server,
            r"\(json://…\) could not be told: no answer in time|The end could not be told: that took more than 3 s",
        ),
        (closed_port, r"\(json://…\) could not be told: .*Connection refused"),
        (refusing, r"\(json://…\) could not be told: .*error=500"),
    ],
)
def test_a_server_that_does_not_take_it(
    app: App, server: Callable[[], contextlib.AbstractContextManager[int]], said: str
) -> None:
    """Is named in one warning, without its url; the exit code is the app's, and another server is told all the same."""
    app.write("return cfg.x", CONFIG)
    with server() as port, http_server() as inbox:
        both = f"json://127.0.0.1:{port}/{SAID_TO_NOBODY} {url_to(inbox)}"
        limit_s = 3 if server is silent_server else 60
        done = app.run(f"{PARAMETER}timeout_s={limit_s}", NOTIFY_URL=both)
        assert done.code == 0
        assert len(re.findall(r"Warning|WARNING", done.stdout)) == 1
        assert re.search(said, done.stdout)
        until(lambda: inbox.messages)
    assert SAID_TO_NOBODY not in done.stdout + done.stderr
    assert files_with(SAID_TO_NOBODY, app.directory) == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_run_that_is_killed(app: App, inbox: Inbox, number: signal.Signals) -> None:
    """Nobody in its process can say a word; the message says how far it had come."""
    app.write(f"if cfg.x == 2:\n    os.kill(os.getpid(), {int(number)})\n    time.sleep(60)", CONFIG)
    done = app.sweep("basic", "x=1,2,3", f"{PARAMETER}events=[abort]", NOTIFY_URL=url_to(inbox))
    assert done.code == -number
    until(lambda: inbox.messages)
    (message,) = inbox.messages
    assert message["title"] == "app: sweep INTERRUPTED: 1 completed, 1 interrupted, 1 not started"
    assert re.match(r"its process \(pid \d+\) is gone without a word", message["message"])
    assert message["type"] == "warning"


@pytest.mark.parametrize(("number", "more"), [(signal.SIGTERM, ""), (signal.SIGKILL, ", or was out of memory")])
def test_the_signal_that_stopped_a_detached_run(app: App, inbox: Inbox, number: signal.Signals, more: str) -> None:
    """Its process could not say a word; the shell beside it has its exit code."""
    app.write(
        f"os.kill(os.getpid(), {int(number)})\ntime.sleep(60)",
        CONFIG.replace("callbacks: [", "callbacks: [detach_callback, "),
    )
    assert app.run("-m", "x=1,2", NOTIFY_URL=url_to(inbox)).code == 0
    until(lambda: inbox.messages)
    first_line = inbox.messages[0]["message"].split("\n")[0]
    assert re.sub(r"\d+", "N", first_line) == f"its process (pid N) was stopped by a signal ({number.name}){more}"


def test_a_run_that_is_stopped(app: App, inbox: Inbox) -> None:
    """By Ctrl-C and by a callback; one that ends by itself, failed or not, was not."""
    app.write(f"if cfg.x == 2:\n    os.kill(os.getpid(), {int(signal.SIGINT)})\n    time.sleep(60)\n{FAILS}", CONFIG)
    only, given = f"{PARAMETER}events=[abort]", url_to(inbox)
    assert app.sweep("basic", "x=0,1", only, NOTIFY_URL=given).code == 1
    assert app.sweep("basic", "x=0,2,3", only, "hydra.sweep.dir=b", NOTIFY_URL=given).code in (130, -signal.SIGINT)
    limit = ["+callbacks=failure_limit_callback", "hydra.sweep.dir=c"]
    app.write(FAILS, CONFIG.replace("logging_callback", "failure_limit_callback"))
    assert app.sweep("basic", "x=0,1,3", only, *limit[1:], NOTIFY_URL=given).code == 1
    assert inbox.titles[0] == "app: sweep INTERRUPTED: 1 completed, 1 interrupted, 1 not started"
    assert inbox.titles[1:] == ["app: sweep FAILED: 1 completed, 1 failed, 1 not started"]  # the third is FAILED on record
    why = "stopped: Job 2 (x=3) was not started: 1 job of the sweep failed, and the limit is max_failures=1."
    assert inbox.messages[1]["message"].startswith(f"{why}\n")
    assert "first error: job 1 (x=1): ValueError: boom" in inbox.messages[1]["message"]


def test_what_cannot_be_a_url_stops_the_app_before_any_job(app: App) -> None:
    """The error names the key, the scheme that was meant, and nothing else of the url."""
    app.write("return cfg.x", CONFIG)
    mistakes = {
        f"{PARAMETER}urls=['json://h','slakc://{SAID_TO_NOBODY}']": r"urls\[1\]='slakc://…' is not valid: .* Write slack://…",
        f"{PARAMETER}urls={SAID_TO_NOBODY}": r"urls\[0\]='…' is not valid",
        f"+{PARAMETER}url='slack://{SAID_TO_NOBODY}'": r"url='…' is not valid: .* Write urls=…",
        f"{PARAMETER}urls={{a:{SAID_TO_NOBODY}}}": "urls='…' is not valid",
    }
    for given, said in mistakes.items():
        done = app.run(given, NOTIFY_URL="json://127.0.0.1")
        assert done.code == 1
        assert re.search(said, done.stderr), done.stderr
        assert "full_key: hydra.callbacks.notification_callback" in done.stderr
        assert SAID_TO_NOBODY not in done.stderr + done.stdout
        assert not done.root.exists()


def test_by_mail(app: App) -> None:
    """A real SMTP server; the subject is the title, and lines are lines."""
    app.write("return cfg.x", CONFIG)
    with mail_server() as inbox:
        url = f"mailto://127.0.0.1:{inbox.port}?smtp=127.0.0.1&mode=insecure&from=me@example.org&to=you@example.org"
        done = app.sweep("basic", "x=1,2", NOTIFY_URL=url)
    assert (done.code, "Warning" in done.stdout) == (0, False)
    (mail,) = inbox.messages
    assert mail["Subject"] == "app: sweep COMPLETED: 2 completed"
    parts = [part.get_payload(decode=True).decode() for part in mail.walk() if not part.is_multipart()]
    assert any(re.search(r"best: job 1, with return_value 2 .*(<br ?/?>|\n)", part) for part in parts)


def test_rank_0_alone_tells(app: App, inbox: Inbox) -> None:
    """Of a job of three processes there is one message."""
    app.write("return int(os.environ['RANK'])", CONFIG)
    ranks = start_ranks(app, [{**torchrun_rank(rank, 3), "NOTIFY_URL": url_to(inbox)} for rank in range(3)])
    assert [each.code for each in ranks] == [0, 0, 0]
    assert inbox.titles == ["app: run COMPLETED"]


@pytest.mark.parametrize(("number", "told"), [(signal.SIGKILL, "INTERRUPTED"), (None, "FAILED")])
def test_a_rank_that_comes_to_grief_after_rank_0_has_ended(
    app: App, inbox: Inbox, number: signal.Signals | None, told: str
) -> None:
    """Rank 0 does not wait for it; people are told all the same, and hear nothing more where all went well."""
    body = """
    if os.environ["RANK"] == "1":
        open("here", "w").close()
        print("HERE", flush=True)
        sys.stdin.readline()
        raise ValueError("boom")
    while not os.path.exists("here"):  # who has not started before rank 0 ends, is waited for by nobody
        time.sleep(0.02)
    """
    app.write(body, CONFIG)
    given = {"NOTIFY_URL": url_to(inbox)}
    one = app.start(**torchrun_rank(1, 2), **given)
    assert app.run(**torchrun_rank(0, 2), **given).code == 0
    assert one.stdout is not None
    while "HERE" not in one.stdout.readline():
        assert one.poll() is None
    assert inbox.titles == ["app: run COMPLETED"]
    if number:
        one.send_signal(number)
    one.communicate("go on\n", timeout=60)
    until(lambda: len(inbox.messages) > 1)
    assert inbox.titles == ["app: run COMPLETED", f"app: run {told}"]
    assert re.search("error: .*rank 1 on", inbox.messages[1]["message"])


def test_jobs_that_go_on_without_the_command(app: App, inbox: Inbox) -> None:
    """After Ctrl-C, under submitit: it is said that they go on, and how they have ended."""
    app.write("while not os.path.exists('go on'):\n    time.sleep(0.02)", CONFIG)
    process = app.start("-m", "x=1,2", "hydra/launcher=submitit_local", "hydra.sweep.dir=out", NOTIFY_URL=url_to(inbox))
    try:
        until(lambda: len(list((app.directory / "out").glob("*/app.log"))) == 2)
        until(lambda: [job.status for job in read_run(app.directory / "out").jobs] == ["RUNNING"] * 2)
        process.send_signal(signal.SIGINT)
        process.wait(60)
        assert inbox.titles == ["app: sweep RUNNING: 2 running"]
        assert inbox.messages[0]["message"].startswith("its command has ended, and jobs go on\n")
    finally:
        (app.directory / "go on").touch()
        process.communicate(timeout=60)
    until(lambda: len(inbox.messages) > 1)
    assert inbox.titles[1:] == ["app: sweep COMPLETED: 2 completed"]


def test_a_job_that_runs_again(app: App, inbox: Inbox) -> None:
    """What `retry_callback` starts again has not failed; what `rerun` starts by itself tells nobody: somebody looks."""
    retried = CONFIG.replace("logging_callback", "retry_callback")
    app.write("if not os.path.exists(f'was {cfg.x}'):\n    open(f'was {cfg.x}', 'w')\n    raise ValueError('boom')", retried)
    given = url_to(inbox)
    assert app.sweep("joblib", "x=1,2", NOTIFY_URL=given).code == 0
    assert inbox.titles == ["app: sweep COMPLETED: 2 completed"]
    app.write("if not os.path.exists('was'):\n    open('was', 'w')\n    raise ValueError('boom')", CONFIG)
    assert app.sweep("basic", "x=5", "hydra.sweep.dir=b", NOTIFY_URL=given).code == 1
    told = list(inbox.titles)
    assert cli("rerun", "b", "--execute", cwd=app.directory, NOTIFY_URL=given).code == 0
    assert inbox.titles == told


def test_nobody_is_told_where_there_is_nobody(app: App) -> None:
    """An empty list is a mistake that is said; null, as on a machine without the variable, is none."""
    app.write("return cfg.x", CONFIG.replace("${oc.env:NOTIFY_URL}", "['${oc.env:NOTIFY_URL,null}']"))
    assert "notification_callback" not in app.run().stdout
    assert "tells nobody: it has no urls" in app.run(f"{PARAMETER}urls=[]", "hydra.run.dir=b").stdout


def test_an_app_with_modules_that_are_called_like_pythons(app: App, inbox: Inbox) -> None:
    """Neither our process nor Apprise takes them for Python's own, and the app's process imports nothing of Apprise."""
    for name in ("statistics", "secrets", "requests", "markdown"):
        (app.directory / f"{name}.py").write_text("raise RuntimeError('of the app')\n", "utf-8")
    app.write("return int('apprise' in sys.modules)", CONFIG)
    done = app.run(NOTIFY_URL=url_to(inbox))
    assert (done.code, inbox.titles) == (0, ["app: run COMPLETED"])
    assert inbox.messages[0]["message"].startswith("result: 0\n")
