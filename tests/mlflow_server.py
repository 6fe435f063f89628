"""A real MLflow server on SQLite, on the loopback interface, and what it has, asked over its own REST API."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

STARTS_WITHIN_S = 120
WITHOUT_JOBS = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
"""Else it starts eight processes for what nobody asks of it here, which take longer than all the rest."""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass(frozen=True)
class TrackedRun:
    """A run as MLflow has it."""

    run_id: str
    status: str
    name: str
    params: dict[str, str]
    metrics: dict[str, float]
    tags: dict[str, str]


@dataclass
class MlflowServer:
    """A server that writes into a directory, and into the database `store`, if that is not to be SQLite."""

    directory: Path
    store: str | None = None
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def uri(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Starts it, and waits until it answers."""
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port)]
        stores = ["--backend-store-uri", self.store or f"sqlite:///{self.directory}/mlflow.db", "--workers", "1"]
        files = ["--artifacts-destination", str(self.directory / "artifacts")]
        with (self.directory / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *stores, *files],
                stdout=log,
                stderr=log,
                cwd=self.directory,
                env={**os.environ, **WITHOUT_JOBS},
                start_new_session=True,
            )
        until_s = time.monotonic() + STARTS_WITHIN_S
        while True:
            assert self.process.poll() is None, (self.directory / "server.log").read_text("utf-8")
            assert time.monotonic() < until_s, (self.directory / "server.log").read_text("utf-8")
            try:
                urllib.request.urlopen(f"{self.uri}/health", timeout=5).close()  # noqa: S310  our own server
            except OSError:
                time.sleep(0.2)
            else:
                return

    def kill(self) -> None:
        """Kills it and its workers."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(30)
            self.process = None

    def another(self, directory: Path) -> "MlflowServer":
        """One that has not started, with all that this one has: to make a database takes a quarter of a minute."""
        shutil.copy(self.directory / "mlflow.db", directory / "mlflow.db")
        return MlflowServer(directory)

    def runs(self, experiment: str, **tags: str) -> list[TrackedRun]:
        """The runs of an experiment that have these tags below `hydra.`, by their names."""
        found = self._ask("experiments/get-by-name", experiment_name=experiment)
        sought = " and ".join(f"tags.`hydra.{name}` = '{tag}'" for name, tag in tags.items())
        body = {"experiment_ids": [found["experiment"]["experiment_id"]], "filter": sought, "max_results": 1000}
        return sorted(map(_tracked, self._ask("runs/search", body).get("runs", [])), key=lambda run: run.name)

    def course(self, run: TrackedRun, metric: str) -> list[tuple[int, float]]:
        """The steps and values of a metric."""
        found = self._ask("metrics/get-history", run_id=run.run_id, metric_key=metric).get("metrics", [])
        return sorted((int(point["step"]), float(point["value"])) for point in found)

    def files(self, run: TrackedRun, path: str = "") -> list[str]:
        """The paths of a run's files, directories looked into."""
        listed = self._ask("artifacts/list", run_id=run.run_id, **({"path": path} if path else {})).get("files", [])
        return sorted(
            name for each in listed for name in (self.files(run, each["path"]) if each["is_dir"] else [each["path"]])
        )

    def delete(self, run: TrackedRun) -> None:
        """Deletes a run, as people do in its pages."""
        self._ask("runs/delete", {"run_id": run.run_id})

    def everything(self) -> bytes:
        """All bytes that it has written."""
        return b"".join(file.read_bytes() for file in self.directory.rglob("*") if file.is_file())

    def _ask(self, what: str, body: dict[str, Any] | None = None, **query: str) -> dict[str, Any]:
        url = f"{self.uri}/api/2.0/mlflow/{what}?{urllib.parse.urlencode(query)}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, {"Content-Type": "application/json"})  # noqa: S310  the same
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310  the same
            result: dict[str, Any] = json.load(answer)
            return result


def _tracked(run: dict[str, Any]) -> TrackedRun:
    info, data = run["info"], run["data"]
    return TrackedRun(
        run_id=info["run_id"],
        status=info["status"],
        name=info["run_name"],
        params={each["key"]: each["value"] for each in data.get("params", [])},
        metrics={each["key"]: float(each["value"]) for each in data.get("metrics", [])},
        tags={each["key"]: each["value"] for each in data.get("tags", [])},
    )
