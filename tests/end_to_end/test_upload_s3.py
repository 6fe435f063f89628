"""Runs whose files are sent to S3: to a real server, to one that refuses, and to one that never answers."""

import contextlib
import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from apps import App
from s3_server import S3Server

from hydra_callback_kit import load_run
from hydra_callback_kit.journal.reader import read_run
from hydra_callback_kit.remote.sending import send
from hydra_callback_kit.remote.store import Store
from hydra_callback_kit.remote.tree import journal_apart

pytestmark = pytest.mark.s3

CONFIG = """
defaults: [callbacks: [results_aggregator_callback, upload_callback]]
x: 0
size: 1000
hydra:
  callbacks:
    upload_callback:
      to: s3://bucket/${hydra.job.name}
      timeout_s: ${oc.decode:${oc.env:TIMEOUT_S,60}}
      storage_options: {key: "${oc.env:AWS_ACCESS_KEY_ID}", secret: "${oc.env:AWS_SECRET_ACCESS_KEY}"}
"""

BODY = """
here = pathlib.Path(HydraConfig.get().runtime.output_dir)
(here / "model.bin").write_bytes(os.urandom(cfg.size))
(here / "a file #1?.txt").touch()
return {"accuracy": cfg.x}
"""

PREAMBLE = "import pathlib\nfrom hydra.core.hydra_config import HydraConfig"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A server that knows `bucket`."""
    server = S3Server(tmp_path_factory.mktemp("s3"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def bucket(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The empty bucket, as this process reaches it."""
    import s3fs  # noqa: PLC0415  it is only there where these tests run

    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    system = s3fs.S3FileSystem(use_listings_cache=False, skip_instance_cache=True)
    if system.exists("bucket"):
        system.rm("bucket", recursive=True)  # with the bucket itself
    system.mkdir("bucket")
    return system


def write(app: App) -> None:
    """Writes the app."""
    app.write(BODY, CONFIG, PREAMBLE)


def url_of(app: App) -> str:
    """Where its run is."""
    return f"s3://bucket/app/{read_run(app.directory / 'out').run_id}"


@pytest.mark.usefixtures("bucket")
def test_a_sweep(launcher: str, app: App, server: S3Server) -> None:
    """All of it is there; nothing is read back, for S3 says what it has; no credential is on record."""
    write(app)
    asked = len(server.log)
    done = app.sweep(launcher, "x=1,2", **server.environment())
    assert done.code == 0, done.stderr
    assert "Uploaded" in done.stdout
    assert "Warning" not in done.stdout
    run = load_run(url_of(app))
    assert [job.return_value["accuracy"] for job in run.jobs] == [1, 2]
    assert [job.facts["uploaded"]["complete"] for job in run.jobs] == [True, True]
    there = Store(url_of(app), {})
    assert there.read("0/model.bin") == (done.root / "0" / "model.bin").read_bytes()
    assert {"0/a file #1?.txt", "results.json", "1/.hydra/config.yaml"} <= there.listed().keys()
    requests = re.findall(r'"(GET|PUT) /bucket/app/[^ ?]*/model.bin', server.log[asked:])
    assert requests[:2] == ["PUT", "PUT"]  # then this test reads one
    written = [file for file in done.root.rglob("*") if file.suffix in (".jsonl", ".json", ".log")]
    assert not [file for file in written if "hunter-two" in file.read_text("utf-8")]
    assert "hunter-two" not in done.stdout + done.stderr


@pytest.mark.usefixtures("bucket")
def test_a_file_of_several_parts(tmp_path: Path, server: S3Server) -> None:
    """S3 says the checksum of its parts, and it is compared with that."""
    (tmp_path / "large.bin").write_bytes(os.urandom(40 << 20))
    asked, store = len(server.log), Store("s3://bucket/parts", {})
    for sent, there in ((1, 0), (0, 1)):
        done = send(store, journal_apart(tmp_path, ""), store.listed(), time.monotonic() + 60, lambda: None)
        assert (done.sent, done.there, done.complete) == (sent, there, True)
    assert "large.bin HTTP" in server.log[asked:]
    assert '"GET /bucket/parts/large.bin' not in server.log[asked:]


@pytest.mark.usefixtures("bucket")
def test_no_half_file_is_left_when_the_time_is_up(tmp_path: Path) -> None:
    """Closing it would make one of it."""
    (tmp_path / "large.bin").write_bytes(bytes(40 << 20))
    store, until_s = Store("s3://bucket/half", {}), time.monotonic() + 60
    ends = [until_s]

    class Clock:
        """Time that is up after the first part."""

        def __lt__(self, now: float) -> bool:
            return now > ends[0]

    done = send(store, journal_apart(tmp_path, ""), {}, Clock(), lambda: ends.__setitem__(0, 0.0))
    assert not done.complete
    assert store.listed() == {}


def test_a_sweep_that_is_killed_in_the_middle_of_an_upload(app: App, server: S3Server, bucket: Any) -> None:
    """`sync` sends what is missing, and nothing twice."""
    write(app)
    process = app.start("-m", "x=1,2", "size=40000000", **server.environment())
    until_s = time.monotonic() + 60
    while "/1/model.bin?uploads" not in server.log:
        assert time.monotonic() < until_s
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    with pytest.raises(FileNotFoundError, match="not whole"):
        load_run(url_of(app))
    done = app.command()[0], "-m", "hydra_callback_kit", "sync", "out", "--to", "s3://bucket/app"
    synced = app.start_command(list(done), **server.environment())
    said = synced.communicate(timeout=60)
    assert synced.returncode == 0, said
    counts = re.search(r"files: (\d+) sent, (\d+) there already", said[0])
    assert counts, said
    assert int(counts[2]) >= 5  # job 0's
    assert load_run(url_of(app)).count("COMPLETED") >= 1
    assert bucket.info(f"{url_of(app)}/1/model.bin")["size"] == 40_000_000


@pytest.mark.usefixtures("bucket")
@pytest.mark.parametrize("to", ["s3://nobucket/runs", "s3://bucket/runs"])
def test_a_bucket_that_is_not_there_and_credentials_that_are_wrong(app: App, server: S3Server, to: str) -> None:
    """One warning that says so, and the exit code of the app."""
    write(app)
    wrong = {"AWS_PROFILE": "nobody"} if "nobucket" not in to else {}
    done = app.sweep("basic", "x=1,2", f"hydra.callbacks.upload_callback.to={to}", **server.environment(**wrong))
    assert done.code == 0, done.stderr
    (warning,) = re.findall("Warning: .*", done.stdout)
    assert ("bucket does not exist" if "nobucket" in to else "nobody") in warning
    assert warning.endswith(f"hydra-callback-kit sync {app.directory}/out --to {to}")
    assert "hunter-two" not in done.stdout + done.stderr


def test_credentials_that_are_refused(app: App, tmp_path: Path) -> None:
    """The server looks at them: one warning without them, the exit code of the app, and `sync` sends it later."""
    import s3fs  # noqa: PLC0415  it is only there where these tests run

    write(app)
    server = S3Server(tmp_path)
    try:
        server.start(INITIAL_NO_AUTH_ACTION_COUNT="5")
        allowed = server.environment(**server.new_user())
        keys = {"key": allowed["AWS_ACCESS_KEY_ID"], "secret": allowed["AWS_SECRET_ACCESS_KEY"]}
        s3fs.S3FileSystem(endpoint_url=allowed["AWS_ENDPOINT_URL"], skip_instance_cache=True, **keys).mkdir("bucket")
        done = app.sweep("basic", "x=1,2", **server.environment(AWS_ACCESS_KEY_ID="AKIANOBODYS"))
        assert done.code == 0, done.stderr
        (warning,) = re.findall("Warning: .*", done.stdout)
        assert re.search("(?i)access key|credentials|forbidden|denied", warning), warning
        said = (
            done.stdout
            + done.stderr
            + "".join(each.read_text("utf-8") for each in done.root.rglob("*.*l") if each.is_file())
        )
        assert not {word for word in ("AKIANOBODYS", "hunter-two") if word in said}
        command = [app.command()[0], "-m", "hydra_callback_kit", "sync", "out", "--to", "s3://bucket/app"]
        synced = app.start_command(command, **allowed)
        assert (synced.communicate(timeout=60), synced.returncode)[1] == 0
    finally:
        server.stop()


@contextlib.contextmanager
def never_answers() -> Iterator[int]:
    """The port of somebody who listens, and says nothing."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(100)
        yield listener.getsockname()[1]


def test_nobody_answers(launcher: str, app: App) -> None:
    """The sweep waits once, in whatever processes its jobs are."""
    write(app)
    with never_answers() as port:
        environment = S3Server(app.directory, port).environment(TIMEOUT_S="2")
        done = app.sweep(launcher, "x=1,2,3", **environment)
    assert done.code == 0, done.stderr
    assert len(re.findall("no answer within 2 s", done.stdout + done.stderr)) == 1
    assert all("uploaded" not in job.facts for job in read_run(done.root).jobs)


def test_nobody_answers_any_more(app: App, server: S3Server, bucket: Any) -> None:
    """Where the store goes silent in the middle, the jobs at that moment wait; the later ones and the sweep's end do not."""
    app.write(f"if cfg.x == 1: os.kill({server.process.pid}, signal.SIGSTOP)\n{BODY}", CONFIG, PREAMBLE)
    try:
        done = app.sweep("joblib", "x=1,2,3,4,5,6", **server.environment(TIMEOUT_S="3"))
    finally:
        os.kill(server.process.pid, signal.SIGCONT)
    assert done.code == 0, done.stderr
    assert 1 <= (done.stdout + done.stderr).count("no answer within 3 s") <= 2  # two were at it at once
    assert bucket.exists("bucket")
