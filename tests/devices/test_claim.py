"""A process takes a place: what it sees then, what those see that it starts, and when it is too late."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

IMPORTS = """
import json, os, subprocess, sys, time, types
from hydra_callback_kit.devices.claim import claim, places_here, step_aside
from hydra_callback_kit.devices.wanted import DeviceError, Wanted
TWO = Wanted(("0", "1"), "GPUS_VISIBLE_DEVICES", None, 1)
def sees():
    return os.environ.get("GPUS_VISIBLE_DEVICES")
"""
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="binds processes to cores")


def start(path: Path, code: str, **more: str) -> subprocess.Popen[str]:
    """A process of its own, with its claims in this file."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HYDRA_")}
    environment = {**kept, "HYDRA_CALLBACK_KIT_DEVICE_CLAIMS": str(path / "claims"), **more}
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return subprocess.Popen([sys.executable, "-c", IMPORTS + code], env=environment, text=True, **pipes)


def run(path: Path, code: str, **more: str) -> str:
    """What such a process has printed."""
    out, errors = start(path, code, **more).communicate(timeout=60)
    assert not errors, errors
    return out


def test_a_process_keeps_what_it_has(tmp_path: Path) -> None:
    """It sees that one, and gets it again, also where it asks for more that has it in it."""
    assert (
        run(
            tmp_path,
            """
print(claim(TWO).device, sees(), claim(TWO).device, claim(TWO._replace(devices=("1", "2", "0"))).device)
""",
        ).split()
        == ["0"] * 4
    )


CUDA_IS_UP = """
sys.modules["torch"] = types.SimpleNamespace(cuda=types.SimpleNamespace(is_initialized=lambda: True))
"""


def test_it_changes_to_another_one_as_long_as_it_can(tmp_path: Path) -> None:
    """What the variable said before is what counts. Once torch has started CUDA it cannot."""
    code = f"""
claim(TWO)
print(claim(TWO._replace(devices=("1", "7"))).device, sees())
{CUDA_IS_UP}
print(claim(TWO).device)
try:
    claim(TWO._replace(devices=("0",)))
except DeviceError as error:
    print(error)
"""
    changed, kept, refused = run(tmp_path, code, GPUS_VISIBLE_DEVICES="0,1").splitlines()
    assert (changed, kept) == ("1 1", "1")
    assert refused.startswith(
        "This process has started CUDA on device 1, and cannot change to another one. Start the app again"
    )


TOO_LATE = f"""
{CUDA_IS_UP}
try:
    print(claim(TWO).device)
except DeviceError as error:
    print(error)
"""


def test_too_late_is_an_error(tmp_path: Path) -> None:
    """Where CUDA is up and sees more; where it sees just one of them, that one is claimed, or waited for."""
    said = "This process has started CUDA before a device was claimed for it, and sees all GPUs"
    assert run(tmp_path, TOO_LATE).startswith(said)
    assert "and sees GPUS_VISIBLE_DEVICES=0,1:" in run(tmp_path, TOO_LATE, GPUS_VISIBLE_DEVICES="0,1")
    assert run(tmp_path, TOO_LATE, GPUS_VISIBLE_DEVICES="1") == "1\n"


@pytest.mark.parametrize(("gpus", "says", "device"), [(1, None, "0"), (2, "1", "1"), (2, None, None)])
def test_it_is_not_too_late_where_nothing_else_is_seen(
    tmp_path: Path, gpus: int, says: str | None, device: str | None
) -> None:
    """Most workstations have one GPU. Whoever asks in other words for what is held has it already."""
    code = f"""
sys.path.append({str(Path(__file__).parents[1])!r})
from nvml import FakeGpu, FakeNvml
from hydra_callback_kit.devices import place
place.load_nvml = lambda: FakeNvml(*[FakeGpu() for _ in range({gpus})])
{CUDA_IS_UP}
try:
    print(claim(Wanted("auto", "CUDA_VISIBLE_DEVICES", None, 1)).device)
    print(claim(Wanted(({device!r},), "CUDA_VISIBLE_DEVICES", None, 1)).device)
except DeviceError as error:
    print(error)
"""
    said = run(tmp_path, code, **({} if says is None else {"CUDA_VISIBLE_DEVICES": says}))
    if device is None:
        assert said.startswith("This process has started CUDA before a device was claimed for it, and sees all GPUs")
    else:
        assert said.split() == [device, device]


@LINUX
def test_what_computes_is_seen_by_its_driver(tmp_path: Path) -> None:
    """Whichever library has opened it: torch needs not even be imported."""
    code = f"""
from hydra_callback_kit.devices import too_late
print(too_late.devices_are_fixed("X"), too_late.devices_are_fixed("CUDA_VISIBLE_DEVICES"))
too_late._leads_to = lambda link: "/dev/nvidia-uvm"
print(too_late.devices_are_fixed("X"), too_late.devices_are_fixed("CUDA_VISIBLE_DEVICES"))
{TOO_LATE}
"""
    assert run(tmp_path, code).startswith("False False\nFalse True\nThis process has started CUDA before")


CHILD = """
def child(**more):
    command = [sys.executable, "-c", os.environ["CHILD"]]
    done = subprocess.run(command, env={**os.environ, **more}, check=True, capture_output=True, text=True)
    return done.stdout.strip()
"""


def test_those_that_it_starts_work_there(tmp_path: Path) -> None:
    """Forked or not, and with another value in the variable; once it is gone they claim by themselves."""
    code = f"""
{CHILD}
claim(TWO)
print(child())
print(child(GPUS_VISIBLE_DEVICES="5"))
if hasattr(os, "fork") and os.fork() == 0:
    print(claim(TWO).device, len(places_here(TWO)), flush=True)
    os._exit(0)
os.wait()
"""
    child = f"{IMPORTS}\nprint(claim(TWO).device, len(places_here(TWO)), sees())"
    assert run(tmp_path, code, CHILD=child).splitlines() == ["0 1 0", "5 1 5", "0 1"]
    orphan = """
claim(TWO)
subprocess.Popen([sys.executable, "-c", os.environ["CHILD"]])
os.kill(os.getpid(), 9)
"""
    child = f"{IMPORTS}\nwhile os.getppid() == int(os.environ['PARENT']): time.sleep(0.01)\nprint(claim(TWO).device)"
    assert run(tmp_path, f"os.environ['PARENT'] = str(os.getpid())\n{orphan}", CHILD=child) == "0\n"


def test_what_starts_others_steps_aside(tmp_path: Path) -> None:
    """They see what it saw before, and take places of their own; what it uses itself remains its own."""
    code = f"""
{CHILD}
step_aside()
claim(TWO)
step_aside()
print(sees(), child(), len(places_here(TWO)))
claim(TWO)
{CUDA_IS_UP}
step_aside()
print(sees(), child(), claim(TWO).device, sees())
"""
    child = f"{IMPORTS}\nprint(sees(), claim(TWO).device)"
    expected = ["0,1 0,1 0 2", "0,1 0,1 1 0 0"]
    assert run(tmp_path, code, CHILD=child, GPUS_VISIBLE_DEVICES="0,1").splitlines() == expected


def test_it_waits_with_a_word_and_goes_on_when_a_holder_is_killed(tmp_path: Path) -> None:
    """The word says who has what it waits for."""
    holders = [start(tmp_path, "print(claim(TWO).device, flush=True)\nsys.stdin.readline()") for _ in range(2)]
    taken = []
    for holder in holders:
        assert holder.stdout is not None
        taken.append(holder.stdout.readline().strip())
    assert sorted(taken) == ["0", "1"]
    waits = start(tmp_path, "print(claim(TWO).device, flush=True)")
    assert waits.stderr is not None
    line = waits.stderr.readline()
    named = ", ".join(map(str, sorted(holder.pid for holder in holders)))
    said = re.escape("[hydra_callback_kit.device_callback][WARNING] - ")
    assert re.fullmatch(rf"{said}Waits for one of the devices 0 \| 1: taken(?: by processes {named})?\.\n", line)
    holders[0].kill()
    out, errors = waits.communicate(timeout=60)
    assert out == f"{taken[0]}\n"
    assert re.fullmatch(rf"{said}Goes on: it has device {taken[0]}\.\n", errors)
    for holder in holders:
        holder.communicate("\n")


def test_each_device_has_one_job_before_any_has_two(tmp_path: Path) -> None:
    """Then each has two, and the fifth waits."""
    wanted = "TWO._replace(jobs_per_device=2)"
    jobs = []
    for _ in range(4):
        job = start(tmp_path, f"print(claim({wanted}).device, flush=True)\nsys.stdin.readline()")
        assert job.stdout is not None
        jobs.append((job, job.stdout.readline().strip()))
    assert [device for _, device in jobs] == ["0", "1", "0", "1"]
    fifth = start(tmp_path, f"print(claim({wanted}).device)")
    assert fifth.stderr is not None
    assert "Waits for" in fifth.stderr.readline()
    jobs.pop(1)[0].communicate("\n")
    assert fifth.communicate(timeout=60)[0] == "1\n"
    for job, _ in jobs:
        job.communicate("\n")


@LINUX
def test_cores_bind_all_threads(tmp_path: Path) -> None:
    """Those that are there, and those to come; the number of threads is theirs; stepping aside sets it all back."""
    cores = sorted(os.sched_getaffinity(0))
    code = f"""
import threading
over = threading.Event()
thread = threading.Thread(target=over.wait)
thread.start()
place = claim(Wanted(None, "X", (({cores[-1]},),), 1))
print(place.facts(), os.environ["OMP_NUM_THREADS"], os.environ.get("X"))
print({{each: sorted(os.sched_getaffinity(int(each))) for each in os.listdir("/proc/self/task")}}.values())
step_aside()
print(sorted(os.sched_getaffinity(thread.native_id)), os.environ.get("OMP_NUM_THREADS"))
over.set()
"""
    assert run(tmp_path, code, OMP_NUM_THREADS="7").splitlines() == [
        f"{{'cores': '{cores[-1]}'}} 1 None",
        f"dict_values([[{cores[-1]}], [{cores[-1]}]])",
        f"{cores} 7",
    ]
