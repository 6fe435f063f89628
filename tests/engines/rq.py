"""Debian's redis-server and RQ's workers, started for one test run and one test."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engines.sweeping import until

SERIALIZER: Final = "hydra_plugins.hydra_rq_launcher.serializer.CloudpickleSerializer"
"""What the workers read the launcher's jobs with."""


@dataclass(frozen=True)
class Redis:
    """A server of this test run alone."""

    port: int

    def overrides(self, queue: str) -> tuple[str, ...]:
        """What chooses RQ and a queue on this server."""
        where = (f"hydra.launcher.redis.port={self.port}", "hydra.launcher.redis.host=127.0.0.1")
        return ("hydra/launcher=rq", f"hydra.launcher.queue={queue}", "hydra.launcher.wait_polling=0.2", *where)

    def rq(self, *arguments: str) -> list[str]:
        """A command of RQ on this server."""
        name, *rest = arguments
        url = f"redis://127.0.0.1:{self.port}/0"
        return [str(Path(sys.executable).with_name("rq")), name, "--url", url, "--serializer", SERIALIZER, *rest]

    def wait_until_idle(self, queue: str) -> None:
        """Waits until a queue has no job left and no worker is at one."""
        import redis  # noqa: PLC0415  comes with the launcher
        from rq import Queue  # noqa: PLC0415  the same

        with redis.Redis(port=self.port) as connection:
            jobs = Queue(queue, connection=connection)
            until(
                lambda: jobs.count == jobs.started_job_registry.get_job_count(cleanup=False) == 0,
                lambda: f"{jobs.count} jobs are queued, {jobs.started_job_registry.get_job_ids(cleanup=False)} run",
            )


@contextmanager
def redis(directory: Path) -> Iterator[Redis]:
    """Starts a server that keeps nothing on disk, and ends it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(directory)]
    with (directory / "redis.log").open("wb") as log, subprocess.Popen(command, stdout=log) as process:
        try:
            until(lambda: _answers(port), (directory / "redis.log").read_text)
            yield Redis(port)
        finally:
            process.terminate()


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"PING\r\n")
        return connection.recv(5) == b"+PONG"
    return False


@contextmanager
def workers(
    server: Redis, queue: str, logs: Path, number: int, *, cwd: Path, environment: dict[str, str] | None = None
) -> Iterator[list["subprocess.Popen[bytes]"]]:
    """Starts workers where the app is, and ends them and what they run.

    Args:
        server: where the jobs are.
        queue: which of them are taken.
        logs: where the workers' words go.
        number: how many jobs run at once.
        cwd: the app's directory, for the launcher's paths are relative.
        environment: that of the jobs; None for that of the tests.
    """
    command = server.rq("worker", queue)
    with (logs / "workers.log").open("wb") as log:
        started = [
            subprocess.Popen(command, cwd=cwd, env=environment, stdout=log, stderr=log, start_new_session=True)
            for _ in range(number)
        ]
    try:
        yield started
    finally:
        for worker in started:
            with suppress(ProcessLookupError):
                os.killpg(worker.pid, signal.SIGKILL)  # a job's process leaves the group, and ends with the test's word
            worker.wait()
