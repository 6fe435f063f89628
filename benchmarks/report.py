"""The report of 10,000 jobs: how long it takes to write and to open, how large it is, and what it adds to a job."""

import copy
import json
import logging
import math
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import hydra
from harness import Line, table, temporary_directory, write_app
from hydra.core.utils import JobReturn, JobStatus
from hydra.types import RunMode
from omegaconf import DictConfig, open_dict

from hydra_callback_kit import ReportCallback
from hydra_callback_kit.hooks.job_recorder import record_job_end, record_job_start

JOBS = 10_000
WORKERS = 64
RUN_ID = "20260101T000000000000-0123abcd"
REPETITIONS = 9
SWEEP = 300
CHROMIUM = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)

IS_DRAWN = "return document.documentElement.dataset.plots === 'drawn'"
CLOCK = """
const at = (name) => performance.getEntriesByName(name)[0].startTime;
const loaded = performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd;
const before = performance.now();
document.querySelectorAll('#jobs th button')[2].click();
return [at('table'), loaded, performance.now() - before, at('plots')];
"""
UNTIL = {"the table is there": 3.0, "the page answers": 5.0, "a click has sorted it": 1.0, "all plots are drawn": 10.0}
"""What is measured in the browser, and the seconds it may take at most."""


def lines() -> list[Line]:
    """Writing in a process of its own, opening in chromium, and the hooks; about a minute."""
    with temporary_directory() as temporary:
        root = Path(temporary)
        write_journal(root)
        measured = json.loads(subprocess.run([sys.executable, __file__, temporary], capture_output=True, check=True).stdout)
        size = (root / "report.html").stat().st_size / 1e6
        opening = opening_s(root / "report.html")
    what = f"report of {JOBS:,} jobs (5 overrides, 3 metrics)"
    return [
        Line.of(f"{what}: writing it, against reading the journal", measured["ratios"], 5.0),
        Line.of(f"{what}: writing it, CPU time", measured["write_s"], None, "s"),
        Line.of(f"{what}: its size, plotly inside", [size], 8.0, "MB"),
        Line.of(f"{what}: memory while it is written, against its size", [measured["memory"]], 1.3),
        *(
            Line.of(f"{what}: opened in chromium, until {until}", samples, bound, "s")
            for (until, bound), samples in zip(UNTIL.items(), zip(*opening, strict=True), strict=True)
        ),
        Line.of("report_callback's hooks of a job, CPU time against the journal's lines alone", _hooks(), 1.1),
    ]


def write_journal(root: Path) -> None:
    """A random search as the callbacks record it, on 64 workers, in which one of fifty jobs fails."""
    chance = random.Random(1)  # noqa: S311  no secret
    begin = datetime(2026, 1, 1, tzinfo=timezone.utc)
    free_s = [0.0] * WORKERS
    journal = root / ".callbacks" / f"{RUN_ID}.host-1-0123abcd.jsonl"
    journal.parent.mkdir()
    with journal.open("w", encoding="ascii") as out:

        def write(event: str, facts: dict[str, object], at_s: float, job: int | None = None, worker: int = 0) -> None:
            at = (begin + timedelta(seconds=at_s)).isoformat(timespec="microseconds")
            line: dict[str, object] = {"v": 1, "time": at, "run": RUN_ID, "event": event}
            if job is not None:
                line |= {"job": job, "attempt": f"{job:012x}"}
            line |= {"host": f"node{worker % 8}", "pid": worker, "born": "73401dcc-63ab-4735-93c0-34de13cd4b2d:358185"}
            out.write(json.dumps({**line, "facts": facts}, separators=(",", ":")) + "\n")

        write("run_started", {"mode": "MULTIRUN", "job_name": "train", "planned_jobs": JOBS}, 0)
        for num in range(JOBS):
            worker = min(range(WORKERS), key=free_s.__getitem__)
            start_s, took_s = free_s[worker] + 0.1, 5 + chance.expovariate(1 / 30)
            free_s[worker] = start_s + took_s
            rate, dropout, depth = 10 ** chance.uniform(-5, -1), chance.uniform(0, 0.6), chance.choice([2, 4, 8, 16])
            overrides = [
                f"optim.lr={rate}",
                f"dropout={dropout}",
                f"depth={depth}",
                f"optim={'abc'[num % 3]}",
                f"seed={num % 5}",
            ]
            write("job_started", {"overrides": overrides, "output_dir": str(num)}, start_s, num, worker)
            accuracy = 0.9 - 0.03 * (math.log10(rate) + 3) ** 2 - dropout / 9 + chance.gauss(0, 0.02)
            end: dict[str, object] = {
                "status": "COMPLETED",
                "return_value": {"accuracy": accuracy, "loss": 1 / accuracy, "step": num},
            }
            if chance.random() < 1 / 50:
                error = {"type": "MemoryError", "message": f"no room for {num} bytes", "traceback": "Traceback\n" * 20}
                end = {"status": "FAILED", "error": error}
            write("job_ended", {**end, "duration_s": took_s}, free_s[worker], num, worker)
        write("run_ended", {"duration_s": max(free_s)}, max(free_s))


def _measure(root: Path) -> None:
    """Reads the journal and writes the report, again and again; the first turn warms up and is dropped."""
    from hydra_callback_kit.journal.reader import read_run  # noqa: PLC0415  this runs in a process of its own
    from hydra_callback_kit.views.report.choice import ReportOptions  # noqa: PLC0415  the same
    from hydra_callback_kit.views.report.page import write_report  # noqa: PLC0415  the same

    times = []
    for _ in range(REPETITIONS + 1):
        before_s = time.process_time()
        run = read_run(root, without=("config",))
        read_s = time.process_time() - before_s
        write_report(root / "report.html", run, ReportOptions())
        times.append((read_s, time.process_time() - before_s - read_s))
    ratios = [write_s / read_s for read_s, write_s in times[1:]]
    tracemalloc.start()  # above what the record takes
    write_report(root / "report.html", run, ReportOptions())
    memory = tracemalloc.get_traced_memory()[1] / (root / "report.html").stat().st_size
    sys.stdout.write(json.dumps({"ratios": ratios, "write_s": [write_s for _, write_s in times[1:]], "memory": memory}))


def opening_s(report: Path) -> list[tuple[float, ...]]:
    """Seconds by the page's own clock, in a fresh browser each time; needs the extra `browser` and chromium-driver."""
    from selenium import webdriver  # noqa: PLC0415  an extra
    from selenium.webdriver.chrome.service import Service  # noqa: PLC0415  the same
    from selenium.webdriver.support.ui import WebDriverWait  # noqa: PLC0415  the same

    times = []
    for _ in range(5):
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
            options = webdriver.ChromeOptions()
            options.binary_location = shutil.which("chromium") or "chromium"
            for flag in (*CHROMIUM, f"--user-data-dir={profile}"):
                options.add_argument(flag)
            browser = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
            try:
                browser.get(report.as_uri())
                WebDriverWait(browser, 120).until(lambda driver: driver.execute_script(IS_DRAWN))
                times.append(tuple(each / 1000 for each in browser.execute_script(CLOCK)))
            finally:
                browser.quit()
    return times


def _hooks() -> list[float]:
    """The hooks of a job in turn with the two calls that write the journal, on configs of 50 keys."""
    with temporary_directory() as temporary, open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123  no path
        write_app(Path(temporary))
        logging.basicConfig(stream=nowhere, level=logging.INFO)
        with hydra.initialize_config_dir(temporary, version_base=None):
            sweep = hydra.compose("config", ["+callbacks=[report_callback]"], return_hydra_config=True)
        with open_dict(sweep):
            sweep.hydra.mode = RunMode.MULTIRUN
            sweep.hydra.sweep.dir = sweep.hydra.runtime.cwd = temporary
            sweep.hydra.job.name = "app"
        callback = ReportCallback()

        def hooks(config: DictConfig, returned: JobReturn) -> None:
            callback.on_job_start(config, task_function=len)
            callback.on_job_end(config, job_return=returned)

        def journal(config: DictConfig, returned: JobReturn) -> None:
            record_job_start(config)
            record_job_end(config, returned)

        turns = [(_cpu_s(hooks, sweep, 2 * turn), _cpu_s(journal, sweep, 2 * turn + 1)) for turn in range(SWEEP)]
    assert "jinja2" not in sys.modules  # noqa: S101  nothing of what writes the report was loaded
    return [with_hooks / alone for with_hooks, alone in turns[1:]]


def _cpu_s(call: Callable[[DictConfig, JobReturn], None], sweep: DictConfig, num: int) -> float:
    config = copy.deepcopy(sweep)
    with open_dict(config):
        config.hydra.job.num, config.hydra.job.id = num, str(num)
        config.hydra.runtime.output_dir = f"{config.hydra.sweep.dir}/{num}"
        config.hydra.overrides.task = [f"x={num}"]
    returned = JobReturn(status=JobStatus.COMPLETED, _return_value={"accuracy": num / SWEEP})
    started = time.process_time()
    call(config, returned)
    return time.process_time() - started


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _measure(Path(sys.argv[1]))
    else:
        print(table(lines()))
