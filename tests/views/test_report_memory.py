"""What writing a report costs in memory: it is written piece by piece."""

import gc
import math
import random
import tracemalloc
from datetime import datetime, timezone
from pathlib import Path

from hydra_callback_kit.journal.errors import JobError
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.views.report.choice import ReportOptions
from hydra_callback_kit.views.report.page import write_report

JOBS = 10_000
AT_MOST = 1.3
"""Times the size of the page."""


def a_job(num: int, chance: random.Random) -> JobRecord:
    """A job of a random search, of which one in fifty fails."""
    rate = 10 ** chance.uniform(-5, -1)
    overrides = (f"optim.lr={rate}", f"dropout={chance.random()}", f"depth={num % 7}", f"seed={num % 5}")
    score = 0.9 - 0.03 * (math.log10(rate) + 3) ** 2 + chance.gauss(0, 0.02)
    began = datetime.fromtimestamp(1767225600 + num / 2, timezone.utc).isoformat()
    more = {"root": Path("/sweep"), "subdir": str(num), "host": "node", "pid": num % 64, "duration_s": 30 + score}
    if num % 50 == 0:
        error = JobError("MemoryError", f"no room for {num} bytes", "Traceback\n" * 20)
        return JobRecord(num, "FAILED", overrides, error=error, started_at=began, **more)
    return JobRecord(num, "COMPLETED", overrides, {"acc": score, "loss": 1 / score}, started_at=began, **more)


def test_writing_ten_thousand_jobs_takes_little_more_memory_than_the_page_has_bytes(tmp_path: Path) -> None:
    """Above what the record takes; also where a page is there already, which is looked at before it is replaced."""
    chance = random.Random(1)  # noqa: S311  no secret
    jobs = tuple(a_job(num, chance) for num in range(JOBS))
    run = RunRecord("20260101T000000-aa", Path("/sweep"), "MULTIRUN", "FAILED", jobs)
    page = tmp_path / "report.html"
    write_report(page, run, ReportOptions())  # what is imported then is there later
    gc.collect()
    tracemalloc.start()
    try:
        write_report(page, run, ReportOptions())
        _, highest = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert highest < AT_MOST * page.stat().st_size
