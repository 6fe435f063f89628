"""The page of a single run: what it did, without scripts."""

import html
import math
from pathlib import Path

from report_pages import ROOT, a_run, job, page_of, sections_of

from hydra_callback_kit.journal import metric_points
from hydra_callback_kit.journal.errors import JobError
from hydra_callback_kit.journal.metric_points import Point, metrics_of
from hydra_callback_kit.journal.records import AttemptRecord, JobRecord
from hydra_callback_kit.views.report.choice import ReportOptions
from hydra_callback_kit.views.report.page import write_report
from hydra_callback_kit.views.report.timings import timings_of

HOSTILE = "</svg><script>alert(1)</script>\"'&{{ 7*7 }}"


def a_job(root: Path, steps: int = 1000, name: str = "val/loss", **more: object) -> JobRecord:
    """A job that reported a metric, was sampled, and wrote a log."""
    points = [Point("", step, {name: math.exp(-step / 100)}) for step in range(steps)] + [
        Point("", steps, {f"{name}/once": 5.0})
    ]
    lines = [metric_points.line("a/0/0", *point) for point in points]
    (root / metric_points.NAME).write_bytes(metric_points.head("20260101T000000-aa") + b"".join(lines))
    samples = "".join(f",{at / 2},{50 + at % 7},{3e8 + at}\n" for at in range(400))
    (root / "resources.csv").write_text(f"time,elapsed_s,cpu_percent,memory_bytes\n{samples}", "ascii")
    (root / "app.log").write_text("the last words\n", "ascii")
    facts = {"resources": {"file": "resources.csv", "peak_memory_bytes": 3e8, "peak_cpu_percent": 56.0}}
    known = {"root": root, "subdir": ".", "job_name": "app", "facts": facts, "start_s": 0, "duration_s": 200.0}
    reported = {"metrics": metrics_of(points), "metrics_file": metric_points.NAME, "reported_by": ("a/0/0",)}
    return job(0, "x=1", **{**known, **reported, **more})


def test_it_says_what_the_job_did_without_scripts(tmp_path: Path) -> None:
    """Curves, timings, resources, the log's end: in a small file that runs nothing and needs nothing beside it."""
    run = a_run(a_job(tmp_path, value={"acc": 0.5}), mode="RUN")
    for plotly_js in ("inline", "directory"):
        write_report(tmp_path / "report.html", run, ReportOptions(plotly_js=plotly_js))
        assert not (tmp_path / "plotly.min.js").exists()
    page = (tmp_path / "report.html").read_text("utf-8")
    assert len(page) < 100_000
    assert "<script" not in page
    assert sections_of(page) == ["summary", "courses", "resources", "log"]
    for said in (
        '<p class="figure completed">completed</p>',
        f"last {math.exp(-9.99):.5g}, lowest {math.exp(-9.99):.5g} at 999, highest 1 at 0",
        '<dt class="name">val/loss/once</dt><dd>5</dd>',
        '<dt class="name">acc</dt><dd><code>0.5</code></dd>',
        "<dt>task function</dt><dd>3 min 20 s</dd>",
        "<dt>peak memory</dt><dd>286 MiB</dd>",
        "minutes since the job's start",
        "286 MiB at most",
        "the last words",
    ):
        assert said in html.unescape(page), said
    assert page.count("<svg") == 3


def test_a_failure_has_its_traceback_open(tmp_path: Path) -> None:
    """And is not said of `1 job`, of which there is no other."""
    error = JobError("ValueError", "boom", "Traceback\n  boom")
    page = page_of(a_run(job(0, status="FAILED", error=error), mode="RUN", status="FAILED"))
    assert "<details open><summary>Traceback</summary>" in page
    assert '<p class="figure failed">failed</p>' in page
    assert "1 job<" not in page
    assert sections_of(page) == ["summary", "failures"]


def test_hostile_names_are_escaped(tmp_path: Path) -> None:
    """Of metrics, in the log, of the log."""
    one = a_job(tmp_path, name=HOSTILE)
    (tmp_path / "app.log").write_text(HOSTILE, "utf-8")
    page = page_of(a_run(one, mode="RUN"), tmp_path)
    assert "<script" not in page
    assert page.count("<svg") == page.count("</svg>") == 3
    assert "{{ 7*7 }}" in page


def test_timings_are_what_is_on_record() -> None:
    """What was before and after the task function, what it used, and earlier attempts; unknown times are left out."""
    facts = {"cpu_s": 2.0, "peak_rss_bytes": 2**20}
    earlier = (AttemptRecord("FAILED", duration_s=1.5), AttemptRecord("INTERRUPTED"))
    one = job(0, start_s=2, duration_s=3.0, ended_at="2026-01-01T00:00:05+00:00", facts=facts, attempts=3, earlier=earlier)
    run = a_run(one, started_at="2026-01-01T00:00:00+00:00", ended_at="2026-01-01T00:00:06+00:00")
    found = timings_of(run, one)
    assert {name: text for name, text in found.items() if not name.startswith("job ")} == {
        "task function": "3.0 s",
        "before the task function": "2.0 s",
        "after it": "1.0 s",
        "CPU": "2.0 s",
        "peak memory": "1 MiB",
        "attempts": "3",
        "earlier attempts": "failed after 1.5 s; interrupted",
    }
    assert timings_of(a_run(job(0)), job(0)) == {}
    late = job(0, start_s=0, root=ROOT)
    assert "before the task function" not in timings_of(a_run(late, started_at="2026-01-02T00:00:00+00:00"), late)
