"""End to end: `resource_monitor_callback` under each launcher, with jobs that work, start children, fork and are killed."""

import csv
import signal
from pathlib import Path

import pytest
from apps import NO_TORN_BYTECODE, App

from hydra_callback_kit.journal.reader import read_run

CONFIG = """
defaults:
  - callbacks: [resource_monitor_callback, performance_callback, results_aggregator_callback]
  - _self_
x: 0
hydra:
  callbacks:
    resource_monitor_callback:
      interval_s: 0.05
    results_aggregator_callback:
      output_file: [results.json, results.csv]
"""
CHILDREN = """
import subprocess
from hydra.core.hydra_config import HydraConfig
BUSY = "import time; held = bytearray(40_000_000)\\nwhile time.process_time() < 0.3: pass\\nprint(flush=True); input()"
def two_more_samples():
    file = os.path.join(HydraConfig.get().runtime.output_dir, "resources.csv")
    rows = lambda: open(file).read().count("\\n") if os.path.exists(file) else 0
    enough = rows() + 3  # the first may have been taken before
    while rows() < enough:
        time.sleep(0.01)
def child():
    return subprocess.Popen([sys.executable, "-c", BUSY], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
"""
BODY = """
if cfg.x == 1:
    raise ValueError("boom")
if cfg.x == 2:
    children = [child() for _ in range(3)]
    for process in children:
        process.stdout.readline()  # it has worked, and lives on
    two_more_samples()
    for process in children:
        process.communicate(b"end")
    two_more_samples()
return cfg.x
"""


def rows_in(file: Path) -> list[dict[str, str]]:
    """The rows of a samples' file."""
    with file.open(encoding="ascii", newline="") as text:
        return list(csv.DictReader(text))


def test_every_job_of_a_sweep_has_samples(app: App, launcher: str) -> None:
    """One returns at once, one fails, one works in three children: rows, facts and the results table's columns agree."""
    app.write(BODY, CONFIG, CHILDREN)
    done = app.sweep(launcher, "x=0,1,2")
    assert done.code == 1
    assert "Traceback" not in done.log(0) + done.log(2)
    facts = [row["facts"]["resources"] for row in done.json("results.json")]
    for number, resources in enumerate(facts):
        rows = rows_in(done.root / str(number) / "resources.csv")
        assert resources["file"] == "resources.csv"
        assert len(rows) == resources["samples"] >= 1
        assert max(int(row["memory_bytes"]) for row in rows) == resources["peak_memory_bytes"] > 10_000_000
        elapsed = [float(row["elapsed_s"]) for row in rows]
        assert elapsed == sorted(elapsed)
        assert rows[0].keys() >= {"time", "cpu_percent", "read_bytes", "written_bytes", "threads", "processes"}
    busy = rows_in(done.root / "2" / "resources.csv")
    assert facts[2]["peak_processes"] == 4
    assert facts[2]["peak_memory_bytes"] > 3 * 40_000_000
    # what the children did is all there, the sampling is not
    cpu_s = facts[2]["mean_cpu_percent"] / 100 * float(busy[-1]["elapsed_s"])
    assert cpu_s > 0.9 - 0.05
    assert cpu_s < done.json("performance.json")["jobs"][2]["cpu_s"] + 0.05
    (table_row, *_) = rows_in(done.root / "results.csv")
    assert {f"resources.{name}" for name in facts[0]} <= table_row.keys()


def test_a_job_that_is_killed_leaves_the_rows_it_had(app: App) -> None:
    """SIGKILL in the middle; then another attempt, which leaves by sys.exit, has its figures.

    What the one that was killed left is kept, for no end of it is on record; the third replaces what the second one left.
    """
    body = """
    def rows():
        try:
            return open("out/resources.csv").read().count("\\n")
        except FileNotFoundError:  # what the one before has left is being moved away
            return 0
    while rows() < 4:
        time.sleep(0.01)
    if cfg.x == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    sys.exit(3)
    """
    app.write(body, CONFIG)
    done = app.run()
    assert done.code == -signal.SIGKILL
    killed = rows_in(done.root / "resources.csv")
    assert len(killed) >= 3
    assert all(None not in row.values() for row in killed)
    assert "resources" not in read_run(done.root).jobs[0].facts
    before = (done.root / "resources.csv").read_text("utf-8").splitlines()[:3]
    (done.root / "resources.csv").write_text("\n".join(before), "utf-8")
    assert app.run("x=1").code == 3
    resources = read_run(done.root).jobs[0].facts["resources"]
    again = rows_in(done.root / "resources.csv")
    assert resources["samples"] == len(again) >= 3
    assert killed[0]["time"] < again[0]["time"]
    assert app.run("x=1").code == 3
    assert [file.name for file in done.root.glob("*.bak*")] == ["resources.csv.bak"]
    assert (done.root / "resources.csv.bak").read_text("utf-8") == "\n".join(before)


def test_a_forked_child_is_measured_and_does_not_end_the_sampling(app: App) -> None:
    """It leaves as the job would (on Hydra 1.4 through the end hooks): figures are recorded once, by the job."""
    body = """
    import threading
    if os.fork() == 0:
        while time.process_time() < 0.2:
            pass
        sys.exit(0)
    os.wait()
    names = [thread.name for thread in threading.enumerate()]
    print("while it runs:", *names)
    import atexit
    atexit.register(lambda: print("afterwards:", threading.active_count()))
    """
    app.write(body, CONFIG)
    done = app.run()
    assert done.code == 0, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "while it runs: MainThread hydra_callback_kit.resource_sampler" in done.stdout
    assert "afterwards: 1" in done.stdout
    journal = "".join(file.read_text("utf-8") for file in done.root.glob(".callbacks/*"))
    assert journal.count('"resources"') == 1
    resources = read_run(done.root).jobs[0].facts["resources"]
    assert resources["peak_processes"] == 2
    assert resources["samples"] == len(rows_in(done.root / "resources.csv"))


@pytest.mark.parametrize(
    "body",
    [
        'import shutil\nshutil.rmtree("out")\ntime.sleep(0.3)',
        "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\ntime.sleep(0.3)",
    ],
    ids=["directory removed", "disk full"],
)
def test_a_file_that_cannot_be_written_costs_one_error_line(app: App, body: str) -> None:
    """Said once, with what to do; the job and its exit code are untouched, and a directory that is gone stays gone."""
    config = CONFIG.replace(", performance_callback, results_aggregator_callback", "").partition("    results_agg")[0]
    app.write(body, config)
    done = app.run("hydra/job_logging=stdout", **NO_TORN_BYTECODE)
    assert done.code == 0, done.stderr
    assert (done.stdout + done.stderr).count("ResourceMonitorCallback could not do its work") == 1
    assert "resources.csv" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert not (done.root / "resources.csv").exists() or (done.root / "resources.csv").read_text() == ""


def test_gpus_that_are_not_there(app: App) -> None:
    """`auto` says nothing, and `on`, which YAML takes for true, says that there is none; the job runs and is measured."""
    app.write("time.sleep(0.2)", CONFIG)
    option = "hydra.callbacks.resource_monitor_callback.gpu"
    assert "GPU" not in app.run(CUDA_VISIBLE_DEVICES="").stdout
    done = app.run(f"{option}=true", CUDA_VISIBLE_DEVICES="")
    assert done.code == 0
    assert done.stdout.count("gpu=on, but") == 1
    assert "peak_gpu_percent" not in read_run(done.root).jobs[0].facts["resources"]


def test_psutil_is_imported_only_while_a_job_runs(app: App) -> None:
    """Not at start-up: a job finds it not yet loaded."""
    app.write('print("loaded:", *[name for name in ("psutil", "pynvml") if name in sys.modules])', CONFIG)
    assert "loaded:\n" in app.run().stdout
