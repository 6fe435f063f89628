"""Records of sweeps for tests of the report, and what is on its page."""

import json
import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from hydra_callback_kit.journal import metric_points
from hydra_callback_kit.journal.metric_points import Point, metrics_of
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.views.report.choice import ReportOptions
from hydra_callback_kit.views.report.page import Page

ROOT = Path("/sweep")
NOW = datetime(2026, 1, 1, 0, 10, tzinfo=timezone.utc)


def job(num: int, *overrides: str, value: Any = None, status: str = "COMPLETED", start_s: float | None = None, **more: Any):
    """A job's record; `start_s` counts from midnight."""
    began = None if start_s is None else datetime.fromtimestamp(1767225600 + start_s, timezone.utc).isoformat()
    return JobRecord(num, status, overrides, value, started_at=began, **{"root": ROOT, "subdir": str(num), **more})


def a_run(*jobs: JobRecord, status: str = "COMPLETED", mode: str = "MULTIRUN", **more: Any) -> RunRecord:
    """A sweep's record."""
    return RunRecord("20260101T000000-aa", ROOT, mode, status, jobs, **more)


def page_of(run: RunRecord, beside: Path = ROOT, **options: Any) -> str:
    """The page, plotly left out."""
    return "".join(Page(run, ReportOptions(**options), beside, NOW).pieces(None))


def data_of(page: str) -> dict[str, Any]:
    """What the page's script gets, parsed strictly."""
    (text,) = re.findall(r'<script nonce="[^"]+" id="data" type="application/json">(.*)</script>', page)
    return json.loads(text, parse_constant=pytest.fail)


def sections_of(page: str) -> list[str]:
    """The ids of the page's sections."""
    return re.findall(r'<section id="([a-z]+)"', page)


TIME = "2026-01-01T00:00:00.000000+00:00"


def reported(root: Path, num: int, points: list[Point]) -> JobRecord:
    """A job that has reported these points."""
    directory = root / str(num)
    directory.mkdir()
    lines = [metric_points.line("a/0/0", *point) for point in points]
    (directory / metric_points.NAME).write_bytes(metric_points.head("20260101T000000-aa") + b"".join(lines))
    metrics = metrics_of(points)
    more = {"metrics": metrics, "metrics_file": metric_points.NAME, "reported_by": ("a/0/0",)}
    return JobRecord(num, "COMPLETED", root=root, subdir=str(num), **more)
