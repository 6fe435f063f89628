"""What can go wrong while an app runs: how it is brought about, and what may then be on record."""

from dataclasses import dataclass, field
from typing import Final

from apps import HYDRA_VERSION

CALLBACKS: Final = {
    "logging_callback": (),
    "performance_callback": ("performance.json",),
    "results_aggregator_callback": ("results.json",),
    "provenance_callback": ("provenance.json", "git.patch", "config_resolved.yaml"),
    "latest_run_callback": (),
    "keep_best_callback": ("*left.ckpt",),
    "thread_safe_callback": (),
    "resource_monitor_callback": ("resources.csv", "*/resources.csv", "*resources_rank1.csv"),
    "output_capture_callback": ("output.log", "*/output.log", "*output_rank1.log"),
    "report_callback": ("report.html",),
    "profiler_callback": ("*profile.html", "*profile.txt", "*profile.pstats"),
    "progress_callback": (),
    "upload_callback": (),
}
"""The callbacks that are on in every cell, and the files that each writes in the run's directory."""

SETTINGS: Final = (
    *(
        "hydra.callbacks.keep_best_callback.metric=double",
        "hydra.callbacks.keep_best_callback.keep=1",
        "hydra.callbacks.keep_best_callback.mode=max",
    ),
    *("hydra.callbacks.profiler_callback.profiler=cprofile", "hydra.callbacks.profiler_callback.jobs=all"),
    "hydra.callbacks.upload_callback.to=memory://there",
)
"""What they are given."""

FAIL_CLOSED: Final = {
    "device_callback": ("hydra.callbacks.device_callback.devices=[0,1]", "hydra.callbacks.device_callback.jobs_per_device=4")
}
"""Those that are on as well, with what they are given: nothing may start where they fail inside."""

ANOTHER_DISK: Final = "ray, another disk"
"""Ray, whose jobs all run on a node that has a disk of its own where the sweep's directory is."""

LAUNCHERS: Final = ("single run", "basic", "joblib", "submitit_local", "ray", ANOTHER_DISK, "slurm", "rq")
"""The columns."""

ENGINES: Final = ("slurm", "rq")
"""Those that send jobs to a service, which must be there."""

ON_RAY: Final = ("ray", ANOTHER_DISK)
"""Those of Ray."""

IN_ONE_PROCESS: Final = ("single run", "basic")
"""Where the jobs run in the app's own process."""

SEVERAL_AT_ONCE: Final = tuple(name for name in LAUNCHERS if name not in IN_ONE_PROCESS)
"""Where another job may be at any point of its way as one goes wrong."""


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong in job 1 of a sweep of three, or in a single run's only job.

    Attributes:
        name: the row's name.
        strikes: statements at the start of the job, where `APP` is the pid of the app's own process and `out`
            the run's directory.
        preamble: what `app.py` defines besides.
        config: lines of the app's config.
        arguments: overrides, with and without us.
        ours: overrides with us only.
        environment: what the app finds in its environment.
        needs: the mark of what must be installed for it besides.
        detached: whether the run goes on, with us, after its command has returned, and is waited for.
        at_once: how many of the same command run at once, with and without us.
        again: how often the same command is started again, with and without us, once all is gone.
        kept: the files, by patterns, that are set aside since nobody knows that we wrote them.
        ranks: of how many processes a job is; what strikes, strikes in all of them, and knows `rank`.
        jobs: the values of `x` in a sweep.
        jobs_without_us: the same without us, where fewer show as much.
        struck: what the record of the job that it strikes may say.
        struck_on: what it may say besides, by launcher.
        others: what the record of a job that reached its end may say.
        unrecorded: whether jobs may be missing from the record, since it could not be written.
        kills: whether it may take the app's process, and the end of others of its jobs with it.
        code: the exit code, where it is not that of the app without us.
        codes_by_chance: by launcher, the exit codes that the app has without us, where chance decides which.
        waits: whether a thread of ours may still wait as a process ends; it does not keep that from ending.
        reports: whether an error of a callback of ours is to be reported.
        permissions: whether it needs an app that file permissions hold for, which they do not for root.
        clock: whether the clock is set back as it strikes.
        not_on: why it does not apply, by launcher.
        hangs_without_us: why, where the app may hang without us.
        hangs_by_chance: the launchers on which it hangs now and then, with and without us; then it is tried again.
    """

    name: str
    strikes: str = "pass"
    preamble: str = ""
    config: str = ""
    arguments: tuple[str, ...] = ()
    ours: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    needs: str = ""
    detached: bool = False
    at_once: int = 1
    again: int = 0
    kept: tuple[str, ...] = ()
    ranks: int = 1
    jobs: range = range(3)
    jobs_without_us: range | None = None
    struck: frozenset[str] = frozenset({"COMPLETED"})
    struck_on: dict[str, frozenset[str]] = field(default_factory=dict)
    others: frozenset[str] = frozenset({"COMPLETED"})
    unrecorded: bool = False
    kills: bool = False
    code: int | None = None
    codes_by_chance: dict[str, frozenset[int]] = field(default_factory=dict)
    waits: bool = False
    reports: bool = False
    permissions: bool = False
    clock: bool = False
    not_on: dict[str, str] = field(default_factory=dict)
    hangs_without_us: dict[str, str] = field(default_factory=dict)
    hangs_by_chance: frozenset[str] = frozenset()


_WHATEVER_WAS_WRITTEN: Final = frozenset({"COMPLETED", "INTERRUPTED"})

_LIMIT: Final = """
import resource
limit = 64 * 1024, resource.getrlimit(resource.RLIMIT_FSIZE)[1]
if hasattr(resource, "prlimit"):
    resource.prlimit(APP, resource.RLIMIT_FSIZE, limit)
resource.setrlimit(resource.RLIMIT_FSIZE, limit)
"""

_READ_ONLY: Final = """
for _ in range(200):  # in a worker: until the last job has made its directory, whichever worker has it
    if os.getpid() == APP or (scene / "started" / "2").exists():
        break
    time.sleep(0.05)
for directory, _, files in os.walk(out, topdown=False):
    for name in [*files, "."]:
        os.chmod(os.path.join(directory, name), 0o444 if name != "." else 0o555)
"""

_RAISES_IN_EVERY_HOOK: Final = """
from hydra.experimental.callback import Callback
class Broken(Callback):
    def __getattribute__(self, name):
        if name.startswith("on_"):
            raise RuntimeError("broken")
        return object.__getattribute__(self, name)
"""

_FAILS_INSIDE: Final = f"""
import hydra_callback_kit
class Poison:
    def fails(self, *args, **kwargs):
        raise RuntimeError("poison")
    __bool__ = __iter__ = __len__ = __int__ = __index__ = __eq__ = __ge__ = __le__ = __str__ = fails
    __call__ = __fspath__ = __getitem__ = __contains__ = __format__ = __add__ = __mul__ = fails
    __hash__ = None
def poisoned(kind):
    class Poisoned(kind):
        def __init__(self, **parameters):
            super().__init__(**parameters)
            for name in vars(self):
                if name not in ("lock", "_jobs"):  # a pickle looks at these
                    setattr(self, name, Poison())
    Poisoned.__name__ = Poisoned.__qualname__ = f"Poisoned{{kind.__name__}}"
    return Poisoned
for option in {tuple(CALLBACKS)}:
    name = "".join(map(str.capitalize, option.split("_")))
    globals()["Poisoned" + name] = poisoned(getattr(hydra_callback_kit, name))
"""


def _class_name(option: str) -> str:
    return "".join(map(str.capitalize, option.split("_")))


# Ray ends the jobs of an app that is gone by `sys.exit`, which Hydra 1.4 takes for a job's end, if there is time for it
_ENDED_BY_RAY: Final = dict.fromkeys(ON_RAY, frozenset({"FAILED"})) if HYDRA_VERSION >= (1, 4) else {}
_HANGS: Final = "Hydra 1.4 with joblib 1.6 hangs without us as well when a worker calls sys.exit"
_ONE_PROCESS: Final = dict.fromkeys(IN_ONE_PROCESS, "there is no worker: see SIGKILL of the parent")
_WORKERS_ANSWER: Final = dict.fromkeys(SEVERAL_AT_ONCE, "the fork answers in its worker's place, without us as well")
_JOBLIBS: Final = dict.fromkeys((name for name in LAUNCHERS if name != "joblib"), "speaks of joblib alone")
_NO_SWEEP: Final = {"single run": "speaks of sweeps"}
_ONE_COMMAND: Final = dict.fromkeys(ENGINES, "its jobs are waited for by those of one command")
_NOBODY_WAITS: Final = {"rq": "its launcher does not wait for its jobs"}
_STARTED_BY_SERVICES: Final = dict.fromkeys((*ON_RAY, *ENGINES), "starts jobs by services of its own, which no terminal has")
_ONE_RANK: Final = dict.fromkeys(("basic", "joblib", *ON_RAY, "rq"), "starts one process for each job")
_NO_PERMISSIONS: Final = dict.fromkeys((ANOTHER_DISK, *ENGINES), "starts jobs as root, for whom permissions do not hold")

# what started the ranks may end rank 0 as well before that has reached its end
_ONE_OF_TWO_ENDS: Final = frozenset({"FAILED", "INTERRUPTED"})


def _on(option: str, *settings: str) -> tuple[str, ...]:
    """What turns one more callback on, and its settings."""
    node = f"hydra.callbacks.{option}"
    return f"+callbacks@{node}={option}", *(f"{node}.{setting}" for setting in settings)


_ONCE: Final = """
struck = (scene / "struck").exists()
(scene / "struck").touch()
if not struck:
    """

_TWICE: Final = """
struck = (scene / "struck").read_text() if (scene / "struck").exists() else ""
(scene / "struck").write_text(struck + ".")
if len(struck) < 2:
    """

_LOG_HANDLER_RAISES: Final = """
import logging
class Broken(logging.Handler):
    def emit(self, record):
        raise RuntimeError("broken")
"""

_FORK_THAT_LEAVES: Final = """
child = os.fork()
if child == 0:
    sys.exit(0)  # by all that runs at a process's end
os.waitpid(child, 0)
"""

_CHILD: Final = """
import multiprocessing
child = multiprocessing.get_context("{0}").Process(target=os.getpid)
child.start()
child.join()
"""

_EMPTIES: Final = """
import shutil
with contextlib.suppress(OSError):  # another job makes its own just then
    for path in out.iterdir():
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()
"""

_WHEN_ALL_ARE_THERE: Final = """
until_all_ranks_are_there(scene, rank)
if rank == 1:
    """

FAULTS: Final = (
    Fault("none"),
    Fault("the job raises", 'raise ValueError("boom")', struck=frozenset({"FAILED"})),
    Fault(
        "sys.exit(3)",
        "sys.exit(3)",
        struck=frozenset({"FAILED" if HYDRA_VERSION >= (1, 4) else "INTERRUPTED"}),
        kills=True,
        hangs_without_us={"joblib": _HANGS} if HYDRA_VERSION >= (1, 4) else {},
    ),
    Fault(
        "Ctrl-C",
        "os.killpg(APP, signal.SIGINT)\nuntil_the_app_is_gone()",
        struck=_WHATEVER_WAS_WRITTEN,
        others=_WHATEVER_WAS_WRITTEN,
        kills=True,
        hangs_by_chance=frozenset({"joblib"}),
    ),
    Fault(
        "SIGTERM",
        "os.kill(APP, signal.SIGTERM)\nuntil_the_app_is_gone()",
        struck=_WHATEVER_WAS_WRITTEN,
        struck_on=_ENDED_BY_RAY,
        others=_WHATEVER_WAS_WRITTEN,
        kills=True,
        codes_by_chance=dict.fromkeys(ON_RAY, frozenset({15, 1, -6})),  # Ray's handler raises, wherever the app is just then
    ),
    Fault(
        "SIGHUP of a job whose run is detached",
        "os.kill(os.getpid(), signal.SIGHUP)",
        ours=_on("detach_callback"),
        code=0,  # that of the process that returns
        detached=True,
        not_on=_STARTED_BY_SERVICES,
    ),
    Fault(
        "SIGKILL of a worker",
        "os.kill(os.getpid(), signal.SIGKILL)",
        struck=frozenset({"INTERRUPTED"}),
        others=_WHATEVER_WAS_WRITTEN,
        kills=True,
        kept=("*/resources.csv.bak*",),  # Ray starts the job again by itself, four times in all
        not_on=_ONE_PROCESS,
    ),
    Fault(
        "SIGKILL of the parent",
        "os.kill(APP, signal.SIGKILL)\nuntil_the_app_is_gone()",
        struck=_WHATEVER_WAS_WRITTEN,
        struck_on=_ENDED_BY_RAY,
        others=_WHATEVER_WAS_WRITTEN,
        kills=True,
    ),
    Fault(
        "the job raises, and nobody takes the messages",
        'raise ValueError("boom")',
        ours=_on("notification_callback", "urls=json://127.0.0.1:9/x"),
        struck=frozenset({"FAILED"}),
    ),
    Fault(
        "SIGKILL of the parent, and nobody takes the message",
        "os.kill(APP, signal.SIGKILL)\nuntil_the_app_is_gone()",
        ours=_on("notification_callback", "urls=json://127.0.0.1:9/x"),
        struck=_WHATEVER_WAS_WRITTEN,
        struck_on=_ENDED_BY_RAY,
        others=_WHATEVER_WAS_WRITTEN,
        kills=True,
    ),
    Fault(
        "abort by validation",
        ours=(
            "+callbacks@hydra.callbacks.validation_callback=validation_callback",
            "hydra.callbacks.validation_callback.required_keys=[nope]",
        ),
        code=1,
    ),
    Fault(
        "disk full",
        _LIMIT,
        struck=frozenset({"INTERRUPTED"}),
        others=_WHATEVER_WAS_WRITTEN,
        unrecorded=True,
    ),
    Fault(
        "directory read-only",
        _READ_ONLY,
        struck=frozenset({"INTERRUPTED"}),
        others=_WHATEVER_WAS_WRITTEN,
        unrecorded=True,
        permissions=True,
        not_on=_NO_PERMISSIONS,
    ),
    Fault(
        "directory deleted",
        "import shutil\nshutil.rmtree(out, ignore_errors=True)",
        struck=_WHATEVER_WAS_WRITTEN,
        others=_WHATEVER_WAS_WRITTEN,
        unrecorded=True,
        # another job is starting, or about to write, just as its directory goes: Hydra raises, or it does not
        codes_by_chance=dict.fromkeys(SEVERAL_AT_ONCE, frozenset({0, 1})),
    ),
    Fault(
        "the directory is emptied",
        _EMPTIES,
        struck=_WHATEVER_WAS_WRITTEN,
        others=_WHATEVER_WAS_WRITTEN,
        unrecorded=True,
        codes_by_chance=dict.fromkeys(SEVERAL_AT_ONCE, frozenset({0, 1})),
    ),
    Fault("a fork in the job", _CHILD.format("fork")),
    Fault("a fork in the job leaves by sys.exit", _FORK_THAT_LEAVES, not_on=_WORKERS_ANSWER),
    Fault("a spawn in the job", _CHILD.format("spawn")),
    Fault(
        "warnings are errors",
        environment={"PYTHONWARNINGS": "error"},
        not_on={"ray": "does not start then, without us either"},
    ),
    # Ray would not start, for it keeps a token at home
    Fault("a home that nobody can write to", environment={"HOME": "/proc", "RAY_AUTH_MODE": "disabled"}),
    Fault("a log handler raises", "logging.getLogger().addHandler(Broken())", _LOG_HANDLER_RAISES),
    Fault(
        "the config is edited",
        '(Path(__file__).parent / "config.yaml").open("a").write("y: 1\\n")',
    ),
    Fault(
        "two into one directory at once",
        at_once=2,
        # what the other one is about to record as its own
        kept=("*resources.csv.bak*", "*profile.*.bak*"),
        not_on=_ONE_COMMAND,
    ),
    Fault(
        "a tracker that never answers",
        ours=_on("mlflow_callback", "tracking_uri=${oc.env:NEVER_ANSWERS}", "timeout_s=1", "setup_timeout_s=2"),
        needs="mlflow",
        waits=True,
        not_on=dict.fromkeys((*ON_RAY, *ENGINES), "no tracker's library is installed there"),
    ),
    Fault(
        "another callback raises",
        preamble=_RAISES_IN_EVERY_HOOK,
        config="hydra: {callbacks: {broken: {_target_: __main__.Broken}}}",
    ),
    Fault(
        "our callbacks fail inside",
        preamble=_FAILS_INSIDE,
        ours=tuple(f"hydra.callbacks.{option}._target_=__main__.Poisoned{_class_name(option)}" for option in CALLBACKS),
        reports=True,
    ),
    Fault("clock set back", "(scene / 'clock').touch()", clock=True),
    Fault(
        "200 jobs on 8 workers",
        arguments=("hydra.launcher.n_jobs=8",),
        jobs=range(200),
        jobs_without_us=range(8),
        not_on=_JOBLIBS,
    ),
    Fault(
        "SIGKILL of the parent, then the same command again",
        _ONCE + "os.kill(APP, signal.SIGKILL)\n    until_the_app_is_gone()",
        ours=_on("resume_callback"),
        again=1,
        kept=("*/resources.csv.bak",),  # of a job that was killed
        not_on=_NO_SWEEP,
    ),
    Fault(
        "SIGKILL of the parent, of what resumes it, and the same command once more",
        _TWICE + "os.kill(APP, signal.SIGKILL)\n    until_the_app_is_gone()",
        ours=_on("resume_callback"),
        again=2,
        kept=("*/resources.csv.bak*",),
        not_on=_NO_SWEEP,
    ),
    Fault(
        "SIGKILL of a worker, then the same command again",
        _ONCE + "os.kill(os.getpid(), signal.SIGKILL)",
        ours=_on("resume_callback"),
        again=1,
        kept=("*/resources.csv.bak",),
        not_on=_ONE_PROCESS,
    ),
    Fault(
        "the job raises once, and is tried again",
        _ONCE + 'raise ValueError("boom")',
        ours=_on("retry_callback"),
        code=0,
        not_on={**_NO_SWEEP, **_NOBODY_WAITS},
    ),
    Fault(
        "SIGKILL of a worker once, and its jobs are tried again",
        _ONCE + "os.kill(os.getpid(), signal.SIGKILL)",
        ours=(*_on("retry_callback"), "hydra.callbacks.device_callback.jobs_per_device=1"),
        code=0,
        kept=("*/resources.csv.bak",),
        not_on={**_ONE_PROCESS, **_NOBODY_WAITS},
    ),
    Fault(
        "the job takes too long",
        "time.sleep(4)",
        ours=_on("time_limit_callback", "job_s=2"),
        struck=frozenset({"FAILED"}),
        code=1,
    ),
    Fault(
        "the config's file is spoilt",
        '(Path(__file__).parent / "config.yaml").write_text("x: [", "utf-8")',
        ours=_on("compose_once_callback", "check=true"),
        code=0,
        not_on=_NO_SWEEP,
    ),
    Fault("a store that nobody can write to", ours=("hydra.callbacks.upload_callback.to=file:///dev/null/there",)),
    Fault("stdout and stderr closed", "os.close(1)\nos.close(2)"),
    Fault("two ranks", _WHEN_ALL_ARE_THERE + "pass", ranks=2, not_on=_ONE_RANK),
    Fault(
        "rank 1 raises",
        _WHEN_ALL_ARE_THERE + 'raise ValueError("boom")',
        ranks=2,
        struck=frozenset({"FAILED"}),
        not_on=_ONE_RANK,
    ),
    Fault(
        "rank 1: sys.exit(3)",
        _WHEN_ALL_ARE_THERE + "sys.exit(3)",
        ranks=2,
        struck=_ONE_OF_TWO_ENDS,
        kills=True,
        not_on=_ONE_RANK,
    ),
    Fault(
        "SIGKILL of rank 1",
        _WHEN_ALL_ARE_THERE + "os.kill(os.getpid(), signal.SIGKILL)",
        ranks=2,
        struck=_ONE_OF_TWO_ENDS,
        kills=True,
        not_on=_ONE_RANK,
    ),
)
"""The rows."""
