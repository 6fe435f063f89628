"""A Ray cluster of two nodes on one machine, of which the second has another disk in the place of a directory."""

import os
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

ENVIRONMENT = {"RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0", "RAY_DEDUP_LOGS": "0"}
_ONLY_SECOND = "second"
"""What the second node has and the first has not."""


@dataclass(frozen=True)
class TwoNodes:
    """The cluster: its address, a process of the second node, and where that has a disk of its own."""

    address: str
    second: int
    hidden: Path

    @property
    def arguments(self) -> list[str]:
        """What an app is started with."""
        init = "++hydra.launcher.ray.init"
        return ["hydra/launcher=ray", f"{init}.address={self.address}", f"{init}.object_store_memory=null"]

    @property
    def only_second(self) -> list[str]:
        """What makes all jobs run on the second node, up to four of them at once."""
        remote = "++hydra.launcher.ray.remote"
        return [f"{remote}.num_cpus=0.25", f"{remote}.resources={{{_ONLY_SECOND}:0.25}}"]

    def on_second(self, path: Path) -> Path:
        """Where a file of the second node can be seen from here."""
        return Path(f"/proc/{self.second}/root", *path.parts[1:])


def in_workers(environment: dict[str, str]) -> list[str]:
    """What lets an app's workers have these variables: a node that is there already does not pass on the app's."""
    return [f"++hydra.launcher.ray.init.runtime_env.env_vars.{name}='{value}'" for name, value in environment.items()]


@contextmanager
def two_nodes(hidden: Path) -> Iterator[TwoNodes]:
    """Starts both nodes, with one CPU each, and ends them.

    Args:
        hidden: the directory in whose place the second node has an empty disk.
    """
    session = tempfile.mkdtemp(prefix="raylets")  # a short path, for there are sockets in it
    port, client_port = _free_port(), _free_port()
    address = f"127.0.0.1:{port}"
    node = f"{Path(sys.executable).parent}/ray start --block --num-cpus 1 --object-store-memory 80000000"
    head = (
        f"{node} --head --port {port} --ray-client-server-port {client_port} --temp-dir {session} --include-dashboard=false"
    )
    resources = shlex.quote(f'{{"{_ONLY_SECOND}": 1}}')
    mounted = f"mount -t tmpfs none {hidden} && exec {node} --address {address} --resources {resources}"
    processes = []
    try:
        processes.append(_started(head.split()))
        _wait_for(lambda: _listens(port))
        processes.append(_started(["unshare", "--mount", "sh", "-c", mounted]))
        status = [f"{Path(sys.executable).parent}/ray", "status", "--address", address]
        environment = {**os.environ, **ENVIRONMENT}
        _wait_for(
            lambda: "/2.0 CPU" in subprocess.run(status, env=environment, capture_output=True, text=True, check=False).stdout
        )
        yield TwoNodes(address, processes[1].pid, hidden)
    finally:
        family = [each for process in processes for each in [*_children(process.pid), psutil.Process(process.pid)]]
        for each in family:
            each.kill()
        for process in processes:
            process.wait()
        psutil.wait_procs(family, timeout=10)
        shutil.rmtree(session, ignore_errors=True)


def _started(command: list[str]) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, **ENVIRONMENT}
    return subprocess.Popen(command, cwd="/", env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _children(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as connecting:
        return connecting.connect_ex(("127.0.0.1", port)) == 0


def _wait_for(condition: Callable[[], bool], timeout_s: float = 180) -> None:
    until_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < until_s, "Ray did not start"
        time.sleep(0.2)
