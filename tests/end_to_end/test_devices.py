"""End to end: each job that runs has a device to itself, under every launcher, across sweeps, and after a kill."""

import itertools
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest
from apps import ON_LAUNCHER, App
from ranks import start_ranks, the_only_run, torchrun_rank
from terminal import cli

from hydra_callback_kit import load_run
from hydra_callback_kit.journal.reader import read_run
from hydra_callback_kit.journal.records import JobRecord

CONFIG = """
defaults:
  - callbacks: [device_callback]
  - _self_
x: 0
hydra:
  callbacks:
    device_callback:
      devices: [0, 1]
"""
NET = """
import os

SEEN = os.environ.get("CUDA_VISIBLE_DEVICES")
"""
BODY = """
from net import SEEN
before = time.time()
time.sleep(0.3)
return {"seen": f"on {SEEN}", "from": before, "to": time.time(), "now": "on " + os.environ["CUDA_VISIBLE_DEVICES"]}
"""
HOLDS = """
import sys
from hydra_callback_kit.devices.claim import claim
from hydra_callback_kit.devices.wanted import Wanted
print(claim(Wanted(("0,1",), "CUDA_VISIBLE_DEVICES", None, 1)).device, flush=True)
sys.stdin.readline()
"""
EIGHT = "x=1,2,3,4,5,6,7,8"


@pytest.fixture
def devices(app: App) -> App:
    """An app whose module looks at the variable as it is imported."""
    (app.directory / "net.py").write_text(NET)
    app.write(BODY, CONFIG)
    return app


def assert_apart(jobs: Iterable[JobRecord]) -> None:
    """No two jobs were on a device at the same time, and each knows its own."""
    on: dict[str, list[tuple[float, float]]] = {}
    for job in jobs:
        assert job.status == "COMPLETED"
        device = job.facts["device"]
        assert job.return_value["seen"] == job.return_value["now"] == f"on {device}"
        on.setdefault(device, []).append((job.return_value["from"], job.return_value["to"]))
    for times in on.values():
        times.sort()
        assert all(end <= start for (_, end), (start, _) in itertools.pairwise(times))


@pytest.mark.parametrize(
    ("launcher", "more"),
    [("joblib", ["hydra.launcher.n_jobs=2"]), ("joblib", ["hydra.launcher.n_jobs=4"]), ("submitit_local", [])],
)
def test_no_two_jobs_are_on_a_device_at_once(devices: App, launcher: str, more: list[str]) -> None:
    """Both devices are used, the app's modules see them as they are imported, and the table names them."""
    done = devices.sweep(launcher, EIGHT, *more)
    assert done.code == 0, done.stderr
    run = load_run(done.root)
    assert {job.facts["device"] for job in run.jobs} == {"0", "1"}
    assert_apart(run.jobs)
    assert "device" in cli("show", done.root, cwd=devices.directory).out.splitlines()[5]
    if launcher == "joblib":
        assert "n_jobs=2," in done.stdout  # four would only wait
        assert len({job.pid for job in run.jobs}) == 2
        assert more[0].replace("hydra.launcher.n_jobs=", "n_jobs: ") in (done.root / "multirun.yaml").read_text()


@pytest.mark.parametrize(
    "arguments", [[], ["-m", "x=1,2,3"], ["-m", "x=1,2,3", *ON_LAUNCHER["joblib"], "hydra.launcher.n_jobs=1"]]
)
def test_in_one_process_all_jobs_have_the_same(devices: App, arguments: list[str]) -> None:
    """A single run, the basic launcher, and joblib without a worker."""
    done = devices.run(*arguments)
    assert done.code == 0, done.stderr
    run = load_run(done.root)
    assert {job.facts["device"] for job in run.jobs} == {"0"}
    assert_apart(run.jobs)


def test_two_sweeps_at_once_share_them_also_after_a_kill(devices: App) -> None:
    """One process has a device from before, and is killed: whoever waits for it gets it. Both sweeps come to their end."""
    holder = devices.start_command([sys.executable, "-c", HOLDS.replace("0,1", "1")])
    assert holder.stdout is not None
    assert holder.stdout.readline() == "1\n"
    sweeps = [
        devices.start("-m", "x=1,2,3,4", *ON_LAUNCHER["joblib"], f"hydra.sweep.dir={name}") for name in ("out", "other")
    ]
    roots = [devices.directory / "out", devices.directory / "other"]
    _until(lambda: any(job.status == "COMPLETED" for root in roots for job in _jobs(root)))
    assert not [job for root in roots for job in _jobs(root) if job.facts.get("device") == "1"]
    holder.kill()
    holder.communicate()
    said = [sweep.communicate(timeout=120) for sweep in sweeps]
    assert [sweep.returncode for sweep in sweeps] == [0, 0], said
    assert "Waits for one of the devices 0 | 1: taken by process" in "".join(errors for _, errors in said)
    jobs = [job for root in roots for job in _jobs(root)]
    assert len(jobs) == 8
    assert {job.facts["device"] for job in jobs} == {"0", "1"}
    assert_apart(jobs)


def test_the_device_of_a_worker_that_is_killed_is_free(app: App) -> None:
    """The pool is lost; the sweep that is started after it has both at once."""
    app.write('if cfg.x == 1:\n    os.kill(os.getpid(), signal.SIGKILL)\ntime.sleep(0.2)\nreturn {"now": 1}', CONFIG)
    assert app.sweep("joblib", "x=1,2,3").code != 0
    again = app.sweep("joblib", "x=2,3,4,5", "hydra.sweep.dir=again")
    assert again.code == 0
    assert "Waits" not in again.stderr
    assert {job.facts["device"] for job in read_run(app.directory / "again").jobs} == {"0", "1"}


def test_a_sweep_uses_only_what_the_variable_names(devices: App) -> None:
    """Of submitit's local jobs, too, which see no GPU otherwise; none at all stops it before any job."""
    done = devices.sweep("submitit_local", "x=1,2", CUDA_VISIBLE_DEVICES="1")
    assert done.code == 0, done.stderr
    assert {job.facts["device"] for job in read_run(done.root).jobs} == {"1"}
    for arguments in (["-m", "x=1,2"], ["-m", *ON_LAUNCHER["joblib"], "x=1,2"], []):
        refused = devices.run(*arguments, CUDA_VISIBLE_DEVICES="")
        assert refused.code == 1
        assert "devices=[0,1] names none that may be used here: CUDA_VISIBLE_DEVICES=''." in refused.stderr


def test_where_cuda_is_up_already_nothing_runs(devices: App) -> None:
    """torch, or what looks like it, has been used as the app was imported; a worker is another process."""
    (devices.directory / "torch.py").write_text("class cuda:\n    is_initialized = staticmethod(lambda: True)\n")
    devices.write(BODY, CONFIG, "import torch")
    for arguments in ([], ["-m", "x=1,2"]):
        done = devices.run(*arguments)
        assert done.code == 1
        assert "This process has started CUDA before a device was claimed for it, and sees all GPUs" in done.stderr
        assert "COMPLETED" not in done.stdout
    assert devices.sweep("joblib", "x=1,2").code == 0


def test_what_contradicts_it_is_refused(devices: App) -> None:
    """A second one, and Hydra's own way to set the variable: which of them would count?"""
    second = "+hydra.callbacks.second={_target_: hydra_callback_kit.DeviceCallback, devices: [7]}"
    for more, said in (
        (second, "Two callbacks claim devices"),
        ("+hydra.job.env_set.CUDA_VISIBLE_DEVICES=1", "hydra.job.env_set sets CUDA_VISIBLE_DEVICES"),
    ):
        for arguments in ([], ["-m", "x=1,2"]):
            done = devices.run(*arguments, more)
            assert done.code == 1
            assert said in done.stderr
            assert "COMPLETED" not in done.stdout


def test_a_job_that_sets_the_variable_sets_it_for_itself(app: App) -> None:
    """The next one in the process sees its device again."""
    body = 'now = os.environ["CUDA_VISIBLE_DEVICES"]\nos.environ["CUDA_VISIBLE_DEVICES"] = "9"\nreturn {"now": f"on {now}"}'
    app.write(body, CONFIG)
    done = app.sweep("basic", "x=1,2")
    assert [job.return_value["now"] for job in read_run(done.root).jobs] == ["on 0", "on 0"]


def test_the_ranks_of_a_job_share_its_device(devices: App) -> None:
    """The first one has claimed it; another run has the other one meanwhile."""
    devices.write(
        """
        from net import SEEN
        while len(os.listdir(os.environ["MEETING"])) < 2:
            open(os.path.join(os.environ["MEETING"], os.environ["RANK"]), "w").close()
            time.sleep(0.05)
        return os.environ["CUDA_VISIBLE_DEVICES"]
        """,
        CONFIG,
    )
    (devices.directory / "meeting").mkdir()
    holder = devices.start_command([sys.executable, "-c", HOLDS.replace("0,1", "0")])
    assert holder.stdout is not None
    assert holder.stdout.readline() == "0\n"
    first, second = start_ranks(devices, [torchrun_rank(0, 2), torchrun_rank(1, 2)])
    assert (first.code, second.code) == (0, 0), first.stderr + second.stderr
    (job,) = the_only_run(devices).jobs
    assert (job.return_value, job.facts["device"]) == ("1", "1")
    assert job.ranks[-1].facts == {"device": "1"}
    holder.communicate("\n")


def test_several_share_one_and_cores_go_with_it(app: App) -> None:
    """Two jobs a device, each on the cores of its device; the table and the report say so."""
    cores = [f"{core}" for core in sorted(_allowed())[:2]]
    if len(cores) < 2:
        pytest.skip("needs two cores")
    app.write(
        'time.sleep(0.2)\nreturn {"cores": sorted(os.sched_getaffinity(0)), "threads": int(os.environ["OMP_NUM_THREADS"])}',
        f"{CONFIG}      cores: [{','.join(cores)}]\n      jobs_per_device: 2\n",
    )
    done = app.sweep("joblib", EIGHT, "hydra.launcher.n_jobs=4", "callbacks=[device_callback,report_callback]")
    assert done.code == 0, done.stderr
    jobs = read_run(done.root).jobs
    assert len({job.pid for job in jobs}) == 4
    for job in jobs:
        core = cores[int(job.facts["device"])]
        assert job.facts["cores"] == core
        assert job.return_value == {"cores": [int(core)], "threads": 1}
    assert "a row a device" in (done.root / "report.html").read_text()


WRONG = [
    ("jobs_per_device=0", "jobs_per_device=0 is not valid"),
    ("devices=[]", "devices=[] is not valid"),
    ("devices=[0,0]", "each device once, and 0 is there twice"),
    ("variable=1x", "variable='1x' is not valid"),
    ("cores=[900,901]", "this process may not run on the cores 900"),
]


@pytest.mark.parametrize(("wrong", "said"), WRONG)
def test_mistakes_are_told_before_any_job(devices: App, wrong: str, said: str) -> None:
    """With the key."""
    done = devices.sweep("joblib", "x=1,2", f"hydra.callbacks.device_callback.{wrong}")
    assert done.code == 1
    assert said in done.stderr
    assert not (done.root / "0").exists()


@pytest.mark.parametrize("arguments", [[], ["-m", "x=1,2"], ["-m", "x=1,2", *ON_LAUNCHER["joblib"]]])
def test_ctrl_c_ends_the_wait(devices: App, arguments: list[str]) -> None:
    """Of a run, of a sweep, and of a sweep whose workers wait; no job has started."""
    holder = devices.start_command([sys.executable, "-c", HOLDS])
    assert holder.stdout is not None
    assert holder.stdout.readline() == "0,1\n"
    waits = devices.start(*arguments)
    stream = waits.stderr if "-m" in arguments and len(arguments) > 2 else waits.stdout
    assert stream is not None
    while "Waits for one of the devices 0 | 1" not in stream.readline():
        pass
    os.killpg(waits.pid, signal.SIGINT)
    waits.communicate(timeout=30)
    assert waits.returncode != 0
    assert not _jobs(devices.directory / "out")
    holder.communicate("\n")


def _until(happens: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _jobs(root: Path) -> Sequence[JobRecord]:
    return read_run(root).jobs if (root / ".callbacks").exists() else ()


def _allowed() -> set[int]:
    return os.sched_getaffinity(0) if sys.platform == "linux" else set()
