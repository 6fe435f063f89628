"""An app in surroundings of its own: its directory, home and temporary directory, and all that it leaves there."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from apps import NO_TORN_BYTECODE, ON_LAUNCHER, App
from engines import rq, slurm
from faults.fault import CALLBACKS, ENGINES, FAIL_CLOSED, SETTINGS, Fault
from raylets import ENVIRONMENT, TwoNodes, in_workers

HANGS_AFTER_S = 300
"""An app that runs longer is ended."""
MAY_HANG_S = 30
"""The same for one that is known to hang without us."""
LIVES_ON_S = 8
"""How long what an app started may outlive it before it counts as left behind."""

LAUNCHERS_OWN = ("concurrent", "grpc", "joblib", "multiprocessing", "ray", "socketserver", "submitit")
"""The packages whose threads are no business of ours: those that launchers are, and that Ray's agents are made of."""
RAYS_OWN = re.compile(r"ray::DashboardAgent|ray::RuntimeEnvAgent|\S+ \S+/ray/_private/workers/default_worker\.py ")
"""Processes that no job runs in, those of workers that have not begun yet included: whether they notice in time that the app
was killed is a matter of chance."""

PREAMBLE = """
import contextlib
from pathlib import Path
from hydra.core.hydra_config import HydraConfig
APP = int(os.environ.setdefault("APP_PID", str(os.getpid())))
def until_all_ranks_are_there(scene, rank):
    (scene / f"rank {rank}").touch()
    for _ in range(400):
        if (scene / "rank 0").exists() and (scene / "rank 1").exists():
            return
        time.sleep(0.05)
def until_the_app_is_gone():
    for _ in range(400):
        try:
            os.kill(APP, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
"""

BODY = """
scene, out = Path(os.environ["SCENE"]), Path(os.environ["OUT"])
rank = int(next(filter(None, map(os.environ.get, ("RANK", "SLURM_PROCID", "SUBMITIT_LOCAL_GLOBALID"))), "0"))
(scene / "started" / str(cfg.x)).touch()
if cfg.x == 1:
{strikes}
if rank != 0:
    return None
with contextlib.suppress(OSError):
    Path(HydraConfig.get().runtime.output_dir, "left.ckpt").touch()
with (scene / "ended" / str(cfg.x)).open("a") as ended:
    ended.write(".")
return {{"double": 2 * cfg.x, "texts": ["x" * 9_000] * {large}}}
"""

IN_EVERY_PROCESS = '''
"""Python runs this at the start of each of the app's processes: it notes the threads at their end, and is their clock."""

import atexit, datetime, os, threading, time
from pathlib import Path

scene = Path(os.environ["SCENE"])

def origin(thread):
    return getattr(getattr(thread, "_target", None), "__module__", None) or type(thread).__module__

def note_threads():
    others = [thread for thread in threading.enumerate() if thread is not threading.main_thread()]
    names = sorted(f"{origin(thread)} {thread.name}" for thread in others)
    (scene / "threads" / str(os.getpid())).write_text("\\n".join(names))

atexit.register(note_threads)  # the first to be registered is the last to be called
'''

CLOCK = """
real_datetime, real_time, real_time_ns = datetime.datetime, time.time, time.time_ns

def hours_back():
    return 2 if (scene / "clock").exists() else 0

class Kind(type):
    def __instancecheck__(cls, thing):
        return isinstance(thing, real_datetime)

class Clock(real_datetime, metaclass=Kind):
    @classmethod
    def now(cls, tz=None):
        return real_datetime.now(tz) - datetime.timedelta(hours=hours_back())

    @classmethod
    def utcnow(cls):
        return real_datetime.now(datetime.timezone.utc).replace(tzinfo=None) - datetime.timedelta(hours=hours_back())

datetime.datetime = Clock
time.time = lambda: real_time() - hours_back() * 3600
time.time_ns = lambda: real_time_ns() - hours_back() * 3600 * 10**9
"""


@dataclass(frozen=True)
class Left:
    """What an app left behind.

    Attributes:
        code: its exit code; None if it hung.
        output: what it printed, on both streams.
        root: the run's or sweep's directory.
        away: the same on the disk that the jobs have, where that is another one.
        started: the jobs whose task function began.
        ended: those whose task function reached its end.
        twice: those that reached it more than once.
        processes: the command lines of what still ran when it was given up waiting.
        threads: the threads that ran in one of its processes as that ended.
        files: all that it wrote elsewhere than in its root; what is random in a name is left out.
    """

    code: int | None
    output: str
    root: Path
    started: frozenset[int]
    ended: frozenset[int]
    twice: frozenset[int]
    processes: frozenset[str]
    threads: frozenset[str]
    files: frozenset[str]
    away: Path | None = None


def start(directory: Path, fault: Fault, launcher: str, *, ours: bool, nodes: TwoNodes | None = None) -> Left:
    """Runs an app into a fault, waits until all its processes are gone, and looks at what is left.

    Args:
        directory: an empty directory.
        fault: what goes wrong.
        launcher: `single run`, or the name of a launcher.
        ours: whether our callbacks are on.
        nodes: where jobs of `ANOTHER_DISK` run.
    """
    for name in ("app", "home", "site", "started", "ended", "threads"):
        (directory / name).mkdir()
    app = App(directory / "app")
    # those of one cluster are all below one directory
    root = app.directory / "out" if nodes is None else Path(tempfile.mkdtemp(dir=nodes.hidden), "out")
    strikes = textwrap.indent(textwrap.dedent(fault.strikes), "    ")
    config = (
        f"defaults:\n- callbacks: [{', '.join([*CALLBACKS, *FAIL_CLOSED] if ours else ())}]\n- _self_\nx: 0\n{fault.config}"
    )
    body = BODY.format(strikes=strikes, large=10 if fault.name == "disk full" else 0)
    app.write(body, config, PREAMBLE + fault.preamble)
    (directory / "site" / "sitecustomize.py").write_text(IN_EVERY_PROCESS + (CLOCK if fault.clock else ""), "utf-8")
    settings = [*SETTINGS, *(setting for given in FAIL_CLOSED.values() for setting in given)]
    arguments = [*fault.arguments, *((*settings, *fault.ours) if ours else ())]
    jobs = fault.jobs if ours or fault.jobs_without_us is None else fault.jobs_without_us
    # Ray's sockets lie in the temporary directory, and want a short path
    with tempfile.TemporaryDirectory() as temporary, socket.create_server(("127.0.0.1", 0)) as silent:
        claims = {"HYDRA_CALLBACK_KIT_DEVICE_CLAIMS": str(directory / "claims")}
        surroundings = {**claims, "SCENE": str(directory), "HOME": str(directory / "home"), "TMPDIR": temporary}
        surroundings |= {**NO_TORN_BYTECODE, "PYTHONPATH": str(directory / "site"), "OUT": str(root), **fault.environment}
        surroundings |= {"NEVER_ANSWERS": f"http://127.0.0.1:{silent.getsockname()[1]}"}
        environment = app.environment(**{**surroundings, **(ENVIRONMENT if nodes else {})})
        hangs_after_s = MAY_HANG_S if launcher in {*fault.hangs_without_us, *fault.hangs_by_chance} else HANGS_AFTER_S
        with _engine(launcher, app, environment, fault.ranks, nodes, root) as (on, wait_until_idle):
            if launcher == "single run":
                command = app.command("x=1", *arguments)
            else:
                command = app.command("-m", *on, f"x={','.join(map(str, jobs))}", *arguments)
            with _others(command, app, environment, fault, launcher) as first:
                code, output = _wait([*_unprivileged(fault), *command], app.directory, first, hangs_after_s)
            wait_until_idle()
            for _ in range(fault.again):
                if launcher not in ENGINES:  # whose own processes stay
                    _wait_for_the_others(directory)
                code, output = _wait(command, app.directory, environment, hangs_after_s)
                wait_until_idle()
        processes = _wait_for_the_others(directory, HANGS_AFTER_S if fault.detached and ours else LIVES_ON_S)
        files = _files(directory / "home", "home") | _files(Path(temporary), "tmp") | _files(app.directory, "app")
    return Left(
        code=code,
        output=output,
        root=root,
        started=_numbers(directory / "started"),
        ended=_numbers(directory / "ended"),
        twice=frozenset(int(file.name) for file in (directory / "ended").iterdir() if file.stat().st_size > 1),
        processes=processes,
        threads=_threads(directory / "threads"),
        files=files,
        away=None if nodes is None else nodes.on_second(root),
    )


@contextmanager
def _engine(
    launcher: str, app: App, environment: dict[str, str], ranks: int, nodes: TwoNodes | None, root: Path
) -> Iterator[tuple[Sequence[str], Callable[[], None]]]:
    """What a launcher sends jobs to: the overrides that choose it, and how to wait until it has none of them left."""
    tasks = [f"hydra.launcher.tasks_per_node={ranks}"] if ranks > 1 else []
    if launcher == "slurm":
        yield [*slurm.ON_SLURM, *tasks], lambda: slurm.wait_until_idle(app.directory)
    elif launcher == "rq":
        logs = app.directory.parent
        with rq.redis(logs) as server, rq.workers(server, "jobs", logs, 2, cwd=app.directory, environment=environment):
            yield server.overrides("jobs"), lambda: server.wait_until_idle("jobs")
    elif nodes is not None:
        own = {name: value for name, value in environment.items() if os.environ.get(name) != value}
        where = f"hydra.sweep.dir={root}"  # a relative one is below wherever a worker happens to be
        yield [*nodes.arguments, *nodes.only_second, *in_workers(own), where], lambda: None
    else:
        yield [*ON_LAUNCHER.get(launcher, ()), *tasks], lambda: None


@contextmanager
def _others(
    command: list[str], app: App, environment: dict[str, str], fault: Fault, launcher: str
) -> Iterator[dict[str, str]]:
    """Starts what runs beside the command: the same once more, or, as torchrun would, a single run's other ranks.

    Gives the environment of the command, which is that of the first rank.
    """
    beside = [environment] * (fault.at_once - 1)
    own = environment
    if fault.ranks > 1 and launcher == "single run":
        of_all = {"WORLD_SIZE": str(fault.ranks), "MASTER_ADDR": "localhost", "MASTER_PORT": str(os.getpid())}
        own, *beside = [{**environment, **of_all, "RANK": str(rank), "LOCAL_RANK": str(rank)} for rank in range(fault.ranks)]
    with (app.directory.parent / "output of others").open("wb") as output:
        others = [
            subprocess.Popen(command, cwd=app.directory, env=variables, stdout=output, stderr=output) for variables in beside
        ]
        yield own
        for other in others:
            other.wait(HANGS_AFTER_S)


def _unprivileged(fault: Fault) -> list[str]:
    """What stands before the command so that file permissions hold for root as well."""
    if fault.permissions and os.geteuid() == 0:
        return ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    return []


def _wait(command: list[str], cwd: Path, environment: dict[str, str], hangs_after_s: float) -> tuple[int | None, str]:
    log = cwd.parent / "output"
    with log.open("wb") as output:  # no pipe: what outlives the app would keep it open
        process = subprocess.Popen(
            command, cwd=cwd, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            code: int | None = process.wait(hangs_after_s)
        except subprocess.TimeoutExpired:
            code = None
            process.kill()
            process.wait()
    return code, log.read_text("utf-8", "replace")


def _wait_for_the_others(scene: Path, at_most_s: float = LIVES_ON_S) -> frozenset[str]:
    """Waits for what the app started; what does not end is named, and ended."""
    deadline = time.monotonic() + at_most_s
    while (left := _processes_of(scene)) and time.monotonic() < deadline:
        time.sleep(0.05)
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    while _processes_of(scene):
        time.sleep(0.05)
    return frozenset(_without_random_parts(words) for words in left.values() if not RAYS_OWN.match(words))


def _processes_of(scene: Path) -> dict[int, str]:
    """The processes that have the app's environment, in whichever session and group they are, by their command lines."""
    named = f"SCENE={scene}".encode()
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if named in (entry / "environ").read_bytes().split(b"\0"):
                found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    return found


def _files(directory: Path, name: str) -> frozenset[str]:
    """The files below a directory, but not in the run's own; Ray's are its own business."""
    paths = (path.relative_to(directory) for path in directory.rglob("*") if not path.is_dir())
    return frozenset(
        _without_random_parts(f"{name}/{path}") for path in paths if path.parts[0] not in ("out", "ray", "__pycache__")
    )


def _threads(directory: Path) -> frozenset[str]:
    """All threads but those of the launchers: whether theirs have ended by then is a matter of chance."""
    lines = (line for file in directory.iterdir() for line in file.read_text("utf-8").splitlines())
    return frozenset(_without_random_parts(line) for line in lines if re.split("[. ]", line)[0] not in LAUNCHERS_OWN)


def _numbers(directory: Path) -> frozenset[int]:
    return frozenset(int(file.name) for file in directory.iterdir())


def _without_random_parts(text: str) -> str:
    return re.sub(r"\b[0-9a-f]{8,}\b|[0-9]+", "#", text)


def clear(directory: Path) -> None:
    """Removes what an app left, read-only directories included."""
    for path in directory.rglob("*"):
        if path.is_dir():
            path.chmod(0o755)
    shutil.rmtree(directory)
