"""Under RQ with a worker that does not share the sweep's disk: run with `-m rq`, as root."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from apps import App

from hydra_callback_kit import load_run

pytestmark = pytest.mark.rq

SERIALIZER = "hydra_plugins.hydra_rq_launcher.serializer.CloudpickleSerializer"
CONFIG = "defaults: [callbacks: standard_callbacks, _self_]\nx: 0"


@pytest.fixture
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """That of a redis-server that keeps nothing on disk."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    where = tmp_path_factory.mktemp("redis")
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(where)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        try:
            _wait_for(port)
            yield port
        finally:
            server.terminate()


@pytest.fixture
def _worker(app: App, port: int) -> Iterator[None]:
    """A worker that has an empty disk where the app is."""
    rq = f"{Path(sys.executable).parent}/rq worker --url redis://127.0.0.1:{port}/0 --serializer {SERIALIZER} sweeps"
    mounted = f"mount -t tmpfs none {app.directory} && exec {rq}"
    command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", mounted]
    with subprocess.Popen(command, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as worker:
        yield
        os.kill(worker.pid, signal.SIGKILL)


@pytest.mark.usefixtures("_worker")
def test_the_record_comes_home(app: App, port: int) -> None:
    """Also that of a job that fails; one whose process is killed left no record here."""
    app.write(
        """
        if cfg.x == 1:
            raise ValueError("boom")
        if cfg.x == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return {"loss": cfg.x / 2}
        """,
        CONFIG,
    )
    redis = f"hydra.launcher.redis.port={port}", "hydra.launcher.redis.host=127.0.0.1", "hydra.launcher.queue=sweeps"
    root = f"hydra.sweep.dir={app.directory / 'out'}"
    done = app.run("-m", "hydra/launcher=rq", *redis, "hydra.launcher.wait_polling=0.2", "x=0,1,2,3", root)
    assert done.code == 1
    run = load_run(done.root)
    assert {job.job_num: (job.status, job.return_value) for job in run.jobs} == {
        0: ("COMPLETED", {"loss": 0}),
        1: ("FAILED", None),
        3: ("COMPLETED", {"loss": 1.5}),
    }
    assert "2 completed, 1 failed, 1 left no record here (in " in done.stdout + done.stderr
    assert not (done.root / "0").exists()


def _wait_for(port: int) -> None:
    until_s = time.monotonic() + 20
    while time.monotonic() < until_s:
        with socket.socket() as connecting:
            if connecting.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError("redis-server does not answer")
