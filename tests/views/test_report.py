"""The report as a pure function of records: what is on the page, which plots it has, and that all is escaped."""

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from journals import Fresh
from report_pages import NOW, ROOT, a_run, data_of, job, page_of, sections_of

from hydra_callback_kit.journal.errors import JobError
from hydra_callback_kit.journal.printable import printable
from hydra_callback_kit.journal.records import BrokenLine, RunRecord
from hydra_callback_kit.views.metrics import metric_names
from hydra_callback_kit.views.report import columns, failures, resources, timeline
from hydra_callback_kit.views.report.charts import asks_for_log, heat_maps, metric_is_log, override_axis
from hydra_callback_kit.views.report.choice import ReportOptions, choose_metric
from hydra_callback_kit.views.report.columns import MetricColumn, columns_of, compact_numbers, links
from hydra_callback_kit.views.report.failures import failures_of
from hydra_callback_kit.views.report.page import spread, write_report
from hydra_callback_kit.views.report.resources import read_samples, resources_of
from hydra_callback_kit.views.report.script import MANY, data_script, library_script, script_json
from hydra_callback_kit.views.report.timeline import timeline_of
from hydra_callback_kit.views.seal import write_sealed

NAN, INF = math.nan, math.inf


def test_a_sweep_has_every_section_that_says_something() -> None:
    """Summary, results, what matters, timeline, failures, resources, each with what the issue of a sweep is."""
    error = JobError("ValueError", "boom 1", "Traceback: boom 1")
    used = {"peak_memory_bytes": 2**30, "read_bytes": 1024, "mean_cpu_percent": 150.0}
    jobs = [
        job(0, "lr=0.1", "m=a", "k=1", value={"acc": 0.5, "loss": 1.5}, start_s=0, duration_s=5.0, host="h", pid=1),
        job(1, "lr=0.01", "m=b", "k=1", value={"acc": 0.75, "loss": NAN}, start_s=1, duration_s=5.0, host="h", pid=2),
        job(2, "lr=0.1", "m=b", "k=1", status="FAILED", error=error, start_s=6, duration_s=1.0, facts={"resources": used}),
    ]
    git = {"commit": "0123456789abcdef", "branch": "main", "dirty": True, "remote": None}
    facts = {
        "job_name": "train",
        "command": ["python", "train.py", "-m", "lr=0.1,0.01"],
        "git": git,
        "hydra_version": "1.3.2",
    }
    page = page_of(a_run(*jobs, status="FAILED", duration_s=7.0, started_at="2026-01-01T00:00:00+00:00", facts=facts))
    assert sections_of(page) == ["summary", "results", "matters", "timeline", "failures", "resources"]
    text = " ".join(re.sub(r"<[^>]+>", " ", page.partition("<main>")[2].partition('id="data"')[0]).split())
    for said in (
        "largest acc, the first metric that varies 0.75",
        "2 completed 1 failed",
        "7.0 s 2026-01-01 00:00:00 UTC",
        "python train.py -m lr=0.1,0.01",
        "0123456789ab on main, with uncommitted changes",
        "h, 3 processes",
        "Hydra 1.3.2",
        "ValueError: boom 1 1 job",
        "peak memory 1.0 GiB (job 2)",
        "CPU on average 150 %",
    ):
        assert said in text, said
    data = data_of(page)
    assert [column["name"] for column in data["overrides"]] == ["lr", "m"]  # k is the same in all
    assert [column["values"] for column in data["metrics"]] == [[0.5, 0.75, None], [1.5, "NaN", None]]
    assert (data["status"], data["links"], data["errors"], data["headlines"]) == (
        "CCF",
        "",
        [-1, -1, 0],
        ["ValueError: boom 1"],
    )
    assert (data["timeline"]["starts"], data["timeline"]["at_once"][1]) == ([0, 1, 6], [1, 2, 1, 0, 1, 0])


@pytest.mark.parametrize(
    ("run", "sections"),
    [
        (a_run(job(0, "x=1", value=1.0), mode="RUN"), ["summary"]),
        (a_run(job(0, "x=1", value=1.0)), ["summary"]),
        (a_run(job(0, "x=1", status="FAILED"), mode="RUN", status="FAILED"), ["summary", "failures"]),
        (a_run(job(0, "x=1", status="FAILED"), job(1, "x=2", status="FAILED")), ["summary", "results", "failures"]),
        (a_run(job(0, "x=1", value=NAN), job(1, "x=2", value=NAN)), ["summary", "results"]),
        (a_run(job(0, "x=1", value=INF), job(1, "x=2", value=-INF)), ["summary", "results"]),
        (a_run(job(0, "x=1", value="text"), job(1, "x=2")), ["summary", "results"]),
        (a_run(job(0, value=1.0), job(1, value=2.0)), ["summary", "results"]),
        (a_run(job(0, "x=1", value=1.0), job(1, "x=2", value=1.0)), ["summary", "results"]),
        (a_run(job(0, "x=1", value=1.0), job(1, "x=2", value=2.0)), ["summary", "results", "matters"]),
        (a_run(status="RUNNING"), ["summary"]),
    ],
)
def test_sections_that_say_nothing_are_left_out(run: RunRecord, sections: list[str]) -> None:
    """A single run, one job, everything failed, NaN, infinities, no numbers, nothing varied, equal metrics."""
    page = page_of(run)
    assert sections_of(page) == sections
    if len(run.jobs) == 1:
        assert "<script" not in page
    else:
        data_of(page)


def test_a_single_run_shows_what_it_was_given_and_returned() -> None:
    """Its overrides, each key of what it returned, and its directory."""
    page = page_of(a_run(job(0, "x=1", value={"acc": 0.123456789, "by_class": [1, 2]}, subdir="."), mode="RUN"))
    for said in ('<code class="override">x=1</code>', "<code>0.123457</code>", "<code>[1, 2]</code>", '<a href="./">'):
        assert said in page


def test_what_a_reader_should_know_first() -> None:
    """It still runs, it was aborted, jobs never started, a metric that nobody returned, broken lines of the journal."""
    broken = (BrokenLine(Path("j.jsonl"), 7, "not JSON"),)
    page = page_of(a_run(job(0, value=1.0), planned_jobs=4, facts={"aborted": "why"}, broken_lines=broken), metric="acc")
    assert re.findall(r'class="notice">(.*?)</p>', page) == [
        "Aborted: why",
        "3 jobs of 4 never started.",
        "No completed job has a metric &#39;acc&#39;. Metrics are: return_value.",
        "A line of the journal cannot be read: j.jsonl:7: not JSON",
    ]
    assert "still runs" in page_of(a_run(job(0, status="RUNNING"), status="RUNNING"))


HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"'&{{ 7*7 }}{% x %}\u2028😀\ud800"


def test_everything_from_the_run_is_escaped(tmp_path: Path) -> None:
    """Markup, quotes, templates, line separators and half surrogates in any place: only the page's own markup is left."""
    error = JobError(HOSTILE, HOSTILE, HOSTILE)
    jobs = [
        job(0, f"x={HOSTILE}", value={HOSTILE: 1.0}, host=HOSTILE, pid=1, start_s=0, duration_s=1.0, subdir=HOSTILE),
        job(1, "x=1", value={HOSTILE: 2.0}, start_s=0, duration_s=1.0),
        job(2, f"x={HOSTILE}", status="FAILED", error=error, subdir="javascript:alert(1)"),
    ]
    facts = {"job_name": HOSTILE, "command": [HOSTILE], "launcher": HOSTILE, "git": {"commit": HOSTILE}, "aborted": HOSTILE}
    run = a_run(*jobs, facts=facts)
    ordinary = page_of(a_run(*(job(num, f"x={num % 2}", value={"acc": num}, start_s=0) for num in range(3))))
    for page in (page_of(run), page_of(run, title=HOSTILE, metric=HOSTILE), page_of(run, metric="none")):
        assert page.count("<script") == ordinary.count("<script")
        assert "<img" not in page
        assert 'href="javascript:' not in page
        assert "{{ 7*7 }}" in page  # nothing was put in its place
        assert data_of(page)["overrides"][0]["texts"][0] == printable(HOSTILE)
    write_report(tmp_path / "report.html", run, ReportOptions())
    (tmp_path / "report.html").read_text("utf-8")


def as_shown(value: Any) -> Any:
    """A value whose texts are printable."""
    if isinstance(value, dict):
        return {printable(key): as_shown(each) for key, each in value.items()}
    return list(map(as_shown, value)) if isinstance(value, list) else printable(value) if isinstance(value, str) else value


@given(st.recursive(st.text(), lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside), max_leaves=20))
def test_json_in_a_script_element_cannot_leave_it(value: Any) -> None:
    """It is ASCII without markup, and means the same, but for what is not printable."""
    text = script_json(value)
    assert text.isascii()
    assert not set(text) & set("<>&")
    assert json.loads(text) == as_shown(value)


NESTED = st.recursive(
    st.text() | st.integers(), lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside), max_leaves=10
)


@given(st.dictionaries(st.text(), NESTED), st.booleans())
def test_data_that_is_written_in_pieces_is_one_object(data: dict[str, Any], lazy: bool) -> None:
    """Whatever is in it; an iterator is a list."""
    given_as = {key: iter(value) if lazy and isinstance(value, list) else value for key, value in data.items()}
    assert json.loads("".join(data_script(given_as.items()))) == as_shown(data)


def test_long_lists_are_written_in_pieces() -> None:
    """None is as long as the list, and nothing is lost where they meet."""
    for many in (MANY, MANY + 1, 2 * MANY, 2 * MANY + 1):
        pieces = list(data_script([("long", [*range(many)]), ("more", [])]))
        assert json.loads("".join(pieces)) == {"long": [*range(many)], "more": []}
        assert max(map(len, pieces)) <= 7 * MANY


@given(st.integers(0, 20), st.sampled_from(["</script>", "<", "</scrip", "x"]))
def test_no_end_of_a_script_is_left_in_a_library(fresh: Fresh, before: int, ends: str) -> None:
    """Wherever it stands, also where one block ends and the next begins."""
    file = fresh("library") / "library.js"
    text = "x" * ((1 << 16) - before) + ends + "y" * 20 + ends
    file.write_text(text, "utf-8")
    found = "".join(library_script(file))
    assert "</script" not in found
    assert found.replace("<\\/script", "</script") == text


def test_plotly_is_inside_or_beside(tmp_path: Path) -> None:
    """`inline` leaves one file; `directory` a small one, and plotly's once beside it, however many reports there are."""
    run = a_run(job(0, "x=1", value=1.0), job(1, "x=2", value=2.0))
    write_report(tmp_path / "a" / "report.html", run, ReportOptions())
    assert [file.name for file in (tmp_path / "a").iterdir()] == ["report.html"]
    for name in ("one.html", "two.html"):
        write_report(tmp_path / "b" / name, run, ReportOptions(plotly_js="directory"))
        assert 'src="plotly.min.js"' in (tmp_path / "b" / name).read_text("utf-8")
    assert sorted(file.name for file in (tmp_path / "b").iterdir()) == ["one.html", "plotly.min.js", "two.html"]
    plotly = tmp_path / "b" / "plotly.min.js"
    ours = plotly.read_bytes()
    plotly.write_bytes(b"x" * len(ours))  # as long, and not what the page needs
    kept = write_report(tmp_path / "b" / "one.html", run, ReportOptions(plotly_js="directory"))
    assert kept == {plotly: tmp_path / "b" / "plotly.min.js.bak"}
    assert plotly.read_bytes() == ours
    (tmp_path / "b" / "plotly.min.js.bak").unlink()
    write_sealed(plotly, [b"an earlier ", b"version"], "/*", "*/")
    assert write_report(tmp_path / "b" / "two.html", run, ReportOptions(plotly_js="directory")) == {}
    assert plotly.read_bytes() == ours
    inside = (tmp_path / "a" / "report.html").stat().st_size
    assert (tmp_path / "b" / "one.html").stat().st_size < 100_000
    assert (tmp_path / "b" / "plotly.min.js").stat().st_size < inside < 8_000_000


def test_a_cut_is_stated_and_keeps_the_best_job() -> None:
    """So many jobs, spread evenly; counts and failures are of all jobs."""
    jobs = [job(num, f"x={num}", value=1.0 if num == 37 else 0.0) for num in range(100)]
    assert [one.job_num for one in spread(jobs, 4, jobs[37])] == [0, 37, 50, 75]
    assert [one.job_num for one in spread(jobs, 1, jobs[99])] == [99]
    assert spread(jobs, 100, jobs[37]) == jobs
    page = page_of(a_run(*jobs), max_table_rows=10)
    assert "spells out 10 of 100 jobs" in page
    assert "100 completed" in page
    assert len(data_of(page)["jobs"]) == 10
    assert "spells out" not in page_of(a_run(*jobs))


@pytest.mark.parametrize(
    ("values", "options", "chosen"),
    [
        ([{"step": 5, "acc": 0.1}, {"step": 5, "acc": 0.2}], {}, ("acc", "max", "the first metric that varies")),
        ([{"val_loss": 1.0}, {"val_loss": 2.0}], {}, ("val_loss", "min", "")),
        ([{"lossless": 1.0}, {"lossless": 2.0}], {"mode": "min"}, ("lossless", "min", "")),
        ([{"a": 1.0, "b": 1}], {"metric": "b", "mode": "min"}, ("b", "min", "")),
        ([{"a": 1.0, "b": 1}], {}, ("a", "max", "the first metric")),
        ([{"a": {"b": 1.0}}], {"metric": "return_value.a.b"}, ("a.b", "max", "")),
        ([3.0], {}, ("return_value", "max", "")),
        ([{"a": 1.0}], {"metric": "c"}, None),
        ([{"a": "x"}, None], {}, None),
    ],
)
def test_the_metric(values: list[Any], options: dict[str, Any], chosen: tuple[str, str, str] | None) -> None:
    """What was asked for, else the first that varies; a loss is best at its smallest."""
    jobs = [job(num, value=value) for num, value in enumerate(values)]
    found = choose_metric(a_run(*jobs), metric_names(jobs), ReportOptions(**options))
    assert (found and (found.name, found.mode, found.picked)) == chosen


@pytest.mark.parametrize(
    ("values", "log"),
    [
        ([0.001, 0.01, 0.1], True),
        ([16, 32, 64, 128, 256], True),
        ([*range(1, 1001)], False),
        ([0.1, 0.2, 0.3], False),
        ([0, 0.01, 1, 100], False),
        ([-1, 1, 100], False),
        ([5], False),
        ([], False),
    ],
)
def test_axes_are_logarithmic_where_the_values_ask_for_it(values: list[float], log: bool) -> None:
    """All positive, far apart, and more even like that."""
    assert asks_for_log(values, 10) is log


def test_the_kind_of_an_override() -> None:
    """Numbers that all jobs have are numbers; texts, mixtures and seeds are categories, numbers first, in their order."""
    jobs = [
        job(0, "lr=1e-3", "model=b", "seed=2", "depth=null", "flag=true", "name=n0"),
        job(1, "lr=0.1", "model=a", "seed=1", "depth=10", "flag=false", "~name"),
        job(2, "lr=10", "model=a", "seed=1", "depth=2", "flag=false"),
    ]
    found = {column.key: column for column in columns_of(jobs).overrides}
    axes = {key: override_axis(column) for key, column in found.items()}
    assert {key for key, axis in axes.items() if axis.kind == "number"} == {"lr"}
    assert axes["lr"].log
    assert [found["depth"].texts[code] for code in axes["depth"].order] == ["2", "10", "null"]
    assert [found["seed"].texts[code] for code in axes["seed"].order] == ["1", "2"]
    assert [found["model"].texts[code] for code in axes["model"].order] == ["b", "a"]
    assert found["name"].codes == [0, -1, -1]
    assert found["~name"].texts == ["deleted"]
    many = columns_of([job(num, f"name=n{num}") for num in range(41)]).overrides[0]
    assert not override_axis(many).plotted
    assert metric_is_log(MetricColumn("loss", [0.01, 0.1, None, NAN, INF, 1.0, 10.0]))
    assert not metric_is_log(MetricColumn("acc", [0.1, 0.5, 0.9]))


def test_what_is_the_same_in_all_jobs_is_said_once() -> None:
    """In the summary, and not in a column of the table; the metric of the ranking stays, and what a job lacks varies."""
    values = [{"acc": 0.5, "step": 100, "nan": NAN, "seen": num or None, "half": num / 2} for num in range(3)]
    jobs = [job(num, f"x={num}", "k=1", value=value) for num, value in enumerate(values)]
    failed = job(3, "x=3", "k=1", status="FAILED")
    found = columns_of([*jobs, failed], "acc")
    assert [column.name for column in found.metrics] == ["acc", "half", "seen"]
    assert (found.same, found.same_in_completed) == (["k=1"], ["step=100", "nan=nan"])
    assert columns_of(jobs, "acc").same == ["k=1", "step=100", "nan=nan"]
    assert columns_of([jobs[0], failed], "acc").same == ["k=1"]
    page = page_of(a_run(*jobs))
    assert '<dt>same for all jobs</dt><dd><code class="override">k=1</code>' in page
    assert "<th>status</th>" not in page
    assert "<th>status</th>" in page_of(a_run(*jobs, failed))
    assert "same for all jobs of the table" in page_of(a_run(*jobs, failed), max_table_rows=2)


def test_heat_maps_are_drawn_for_grids() -> None:
    """Two numeric overrides whose combinations mostly occur; not for pairs that change together, nor for seeds."""
    grid = [
        job(3 * a + b, f"a={a}", f"b={b}", f"c={a}{b}", f"seed={b}", f"m=x{a}", f"t={10 * a}")
        for a in range(3)
        for b in range(3)
    ]
    found = columns_of(grid).overrides
    axes = [override_axis(column) for column in found]
    assert [(found[i].key, found[j].key) for i, j in heat_maps(found, axes)] == [("a", "b"), ("b", "t")]


def test_links_lead_from_the_page_to_the_jobs() -> None:
    """Relative to the page, wherever it lies, quoted; as one prefix where they are regular."""
    jobs = [job(0), job(1, subdir="a b/#?ä:1"), job(2, subdir="/else/where"), job(3, subdir=None)]
    assert links(jobs, ROOT, ROOT) == ["0", "a%20b/%23%3F%C3%A4%3A1", "../else/where", None]
    assert links(jobs[:2], ROOT, ROOT / "reports") == ["../0", "../a%20b/%23%3F%C3%A4%3A1"]
    regular = [job(num) for num in range(3)]
    assert data_of(page_of(a_run(*regular), ROOT / "reports"))["links"] == "../"
    assert data_of(page_of(a_run(job(0), job(1, subdir="x"))))["links"] == ["0", "x"]


def test_numbers_are_compact() -> None:
    """Seven digits, integers as they are, NaN and infinities by name."""
    assert compact_numbers([1 / 3, 2.0, 5, None, NAN, -INF, 1e300]) == [0.3333333, 2, 5, None, "NaN", "-Infinity", 1e300]


def test_failures_are_grouped_by_their_error() -> None:
    """Up to numbers in the message; the largest group first, with the overrides that set it apart; interrupted jobs too."""
    oom = [JobError("OOM", f"tried {num} MiB at 0x7f{num}", f"Traceback {num}") for num in range(3)]
    jobs = [
        job(0, "x=1", "y=1", status="FAILED", error=JobError("ValueError", "boom", "")),
        *(job(num + 1, "x=2", "y=1", f"z={num}", status="FAILED", error=oom[num]) for num in range(3)),
        job(4, "x=1", "y=1", status="INTERRUPTED"),
        job(5, "x=1", "y=1", value=1.0),
    ]
    groups = failures_of(a_run(*jobs))
    assert [(group.headline, [one.job_num for one in group.jobs], group.shared) for group in groups] == [
        ("OOM: tried 0 MiB at 0x7f0", [1, 2, 3], ["x=2"]),
        ("ValueError: boom", [0], []),
        ("it started and never reported its end: killed, stopped, or left by sys.exit", [4], []),
    ]
    assert (groups[0].traceback, groups[1].traceback, groups[2].status) == ("Traceback 0", "", "INTERRUPTED")


def test_long_lists_of_failures_are_cut_and_say_so() -> None:
    """Kinds of errors, and jobs of one kind."""
    words = ["".join(chr(97 + int(digit)) for digit in str(num)) for num in range(failures.MAX_GROUPS + 5)]
    kinds = page_of(a_run(*(job(num, status="FAILED", error=JobError(word, "", "")) for num, word in enumerate(words))))
    assert kinds.count('class="card failure"') == failures.MAX_GROUPS
    assert "and 5 more kinds of errors" in kinds
    same = [job(num, status="FAILED", error=JobError("E", "", "")) for num in range(failures.MAX_JOBS + 5)]
    assert "and 5 more." in page_of(a_run(*same))


def test_the_timeline() -> None:
    """A row a worker, the first first; running jobs last until now; an unknown end has no length, an unknown start none."""
    jobs = [
        job(0, start_s=10, duration_s=5.0, host="h", pid=2),
        job(1, start_s=0, duration_s=20.0, host="h", pid=1),
        job(2, start_s=590, status="RUNNING", host="h", pid=2),
        job(3, start_s=30, status="INTERRUPTED", host="h", pid=3),
        job(4, status="INTERRUPTED"),
    ]
    found = timeline_of(jobs, jobs, NOW.timestamp())
    assert found.starts == [10, 0, 590, 30, None]
    assert found.durations == [5, 20, 10, 0, 0]
    assert (found.rows, found.workers[:3]) == ([1, 0, 1, 2, 3], ["h:1", "h:2", "h:3"])
    assert found.at_once == ([0, 10, 15, 20, 30, 30, 590, 600], [1, 2, 1, 0, 1, 0, 1, 1])
    assert found.highest == 2
    assert timeline_of(jobs[:1], jobs[:1], 0) is None


@pytest.mark.parametrize(
    ("starts", "pauses", "words"),
    [
        ([0, 10, 20], [], ""),
        ([0, 10, 29.9], [], ""),
        ([0, 10, 79], [], ""),
        ([0, 10, 86420], [(20, 86420)], "Nothing ran for 1 d 0 h at the dashed line: "),
        (
            [0, 3600, 86400],
            [(10, 3600), (3610, 86400)],
            "Nothing ran for 59 min 50 s and 22 h 59 min at each of the 2 dashed ",
        ),
        ([3600 * hour for hour in range(5)], None, "Nothing ran for 3 h 59 min in all at each of the 4 dashed lines: "),
        ([0, 10, 605], [(20, 605)], "Nothing ran for 9 min 45 s at the dashed line: "),
    ],
)
def test_long_pauses_are_folded(starts: list[float], pauses: list[tuple[float, float]] | None, words: str) -> None:
    """Those that would take more than half as much room as all jobs; the page says how long they were."""
    jobs = [job(num, start_s=start, duration_s=10.0, host="h", pid=1) for num, start in enumerate(starts)]
    jobs.append(job(len(starts), start_s=starts[-1], status="INTERRUPTED", host="h", pid=2))
    found = timeline_of(jobs, jobs, NOW.timestamp() + 1e6)
    assert pauses is None or found.pauses == pauses
    assert found.said_of_pauses.startswith(words)
    assert bool(words) == bool(found.said_of_pauses)
    assert found.as_data()["pauses"] == found.pauses


def test_the_pause_before_a_job_that_still_runs_is_folded() -> None:
    """It runs until the page is written."""
    jobs = [job(0, start_s=0, duration_s=5.0), job(1, start_s=595, status="RUNNING")]
    assert timeline_of(jobs, jobs, NOW.timestamp()).pauses == [(5, 595)]
    assert timeline_of(jobs[1:] * 2, jobs[1:], NOW.timestamp()).pauses == []


def test_the_timeline_of_devices() -> None:
    """A row a device, in the order of their names; jobs that shared one are below each other, those without one are last."""
    jobs = [
        job(0, start_s=0, duration_s=5.0, host="h", pid=1, facts={"device": "10"}),
        job(1, start_s=1, duration_s=5.0, host="h", pid=2, facts={"device": "9"}),
        job(2, start_s=2, duration_s=5.0, host="h", pid=3, facts={"device": "9"}),
        job(3, start_s=8, duration_s=5.0, host="h", pid=4, facts={"device": "9"}),
        job(4, status="FAILED", start_s=9, duration_s=5.0, host="h", pid=5),
    ]
    found = timeline_of(jobs, jobs, NOW.timestamp())
    assert (found.rows, found.workers) == ([2, 0, 1, 0, 3], ["device 9", "device 9", "device 10", ""])
    assert found.on_devices
    two_hosts = [*jobs, job(5, start_s=3, duration_s=1.0, host="i", pid=1, facts={"cores": "0-3"})]
    assert timeline_of(two_hosts, two_hosts, NOW.timestamp()).workers[-2:] == ["i: cores 0-3", ""]
    many = [job(num, start_s=0, duration_s=1.0, host="h", pid=num, facts={"device": str(num)}) for num in range(100)]
    found = timeline_of(many, many, NOW.timestamp())
    assert (found.workers, found.on_devices) == ([], False)


def test_many_workers_share_rows() -> None:
    """A process a job: rows hold what did not overlap; the curve keeps its peaks and a bounded number of steps."""
    jobs = [job(num, start_s=num, duration_s=1.5, host="h", pid=num) for num in range(2 * timeline.MAX_STEPS)]
    found = timeline_of(jobs, jobs, NOW.timestamp())
    assert (found.workers, found.worker_count, max(found.rows), found.highest) == ([], len(jobs), 1, 2)
    assert len(found.at_once[0]) <= timeline.MAX_STEPS + 1
    assert max(found.at_once[1]) == 2


HEAD = "time,elapsed_s,cpu_percent,memory_bytes,read_bytes,written_bytes,threads,processes,gpu0_percent,gpu0_memory_bytes\n"


def samples(count: int) -> str:
    """What the resource monitor writes; memory peaks in the last sample but one."""
    return HEAD + "".join(
        f"2026-01-01T00:00:00+00:00,{num / 2},{50 + num % 2},{9_000_000 if num == count - 2 else 1000 + num},0,0,1,1,,\n"
        for num in range(count)
    )


def test_resources_of_the_jobs_that_were_measured(tmp_path: Path) -> None:
    """Peaks of each job, curves of those with samples, relative and absolute; what cannot be read is passed by."""
    (tmp_path / "0").mkdir()
    (tmp_path / "0" / "resources.csv").write_text(samples(10), "ascii")
    (tmp_path / "else.csv").write_text(samples(3) + "2026-01-01T00:00:01+00:00,9.5,5", "ascii")  # half a line
    files = ["resources.csv", str(tmp_path / "else.csv"), "gone.csv", None]
    jobs = [
        job(num, root=tmp_path, facts={"resources": {"file": file, "peak_memory_bytes": 100 * num, "peak_cpu_percent": NAN}})
        for num, file in enumerate(files)
    ]
    found = resources_of([*jobs, job(4)], [*jobs, job(4)])
    assert found.peaks == {"peak_memory_bytes": [0, 100, 200, 300, None]}
    assert [(curve["job"], len(curve["elapsed_s"])) for curve in found.curves] == [(0, 10), (1, 3)]
    assert found.curves[1]["memory_bytes"] == [1000, 9_000_000, 1002]
    assert (found.with_samples, found.totals) == (3, {"peak memory": "300 B (job 3)"})
    assert resources_of([job(0)], [job(0)]) is None
    page = page_of(a_run(*jobs))
    assert "resources" in sections_of(page)
    assert [curve["job"] for curve in data_of(page)["curves"]] == [0, 1]


def test_samples_are_bounded(tmp_path: Path) -> None:
    """Few points keep the peak; a large file is not read as a whole; of many jobs some are drawn, and the page says so."""
    file = tmp_path / "resources.csv"
    file.write_text(samples(1001), "ascii")
    curve = read_samples(file)
    assert len(curve["elapsed_s"]) <= resources.MAX_POINTS
    assert max(curve["memory_bytes"]) == 9_000_000
    file.write_text(samples(20_000), "ascii")
    assert file.stat().st_size > resources.MAX_READ_BYTES
    curve = read_samples(file)
    assert resources.MAX_POINTS / 2 < len(curve["elapsed_s"]) <= resources.MAX_POINTS
    assert (curve["elapsed_s"], curve["elapsed_s"][-1] > 9000) == (sorted(curve["elapsed_s"]), True)
    file.write_text("", "ascii")
    assert read_samples(file) == {}
    file.write_text(samples(5), "ascii")
    jobs = [job(num, facts={"resources": {"file": str(file), "peak_memory_bytes": num}}) for num in range(25)]
    page = page_of(a_run(*jobs))
    assert "Curves of 12 of 25 jobs with samples" in page
    assert [curve["job"] for curve in data_of(page)["curves"]] == [*range(13, 25)]


def test_there_is_room_for_so_many_columns() -> None:
    """What has none is named."""
    jobs = [job(num, *(f"k{i}={num}" for i in range(columns.MAX_OVERRIDES + 1)), value={"a": num}) for num in range(2)]
    page = page_of(a_run(*jobs))
    assert f"no room for 1 more columns: k{columns.MAX_OVERRIDES}." in page
    assert len(data_of(page)["overrides"]) == columns.MAX_OVERRIDES
