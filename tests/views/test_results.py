"""The results table as a pure function of records: columns, formats, ranking and averages."""

import json
import math
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from hydra_callback_kit.journal.errors import JobError
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.journal.values import Cut, from_json
from hydra_callback_kit.views.figures import Figures, figures
from hydra_callback_kit.views.metrics import metric_names, metric_of
from hydra_callback_kit.views.ranking import best_job, ranked
from hydra_callback_kit.views.results import flat_rows, nested_row, results_table
from hydra_callback_kit.views.settings import settings_of, settings_table
from hydra_callback_kit.views.table_formats import MAX_CELL, markdown, write_table

NAN, INF = math.nan, math.inf


def job(num: int, *overrides: str, value: Any = None, status: str = "COMPLETED", **fields: Any) -> JobRecord:
    """A job's record."""
    return JobRecord(num, status, overrides, value, **fields)


def a_run(*jobs: JobRecord) -> RunRecord:
    """A sweep's record."""
    return RunRecord("20260101T000000-aa", Path("/sweep"), "MULTIRUN", "COMPLETED", jobs)


def same(a: Any, b: Any) -> bool:
    """Equality that takes NaN for NaN, and tells 1 from 1.0 and True."""
    return repr(a) == repr(b)


def test_a_nested_row_holds_everything() -> None:
    """All the fields, other callbacks' facts under `facts`, the config beside them or left out."""
    record = job(
        *(3, "model=cnn", "+x=[1,2]"),
        value={"acc": 0.5},
        error=JobError("ValueError", "boom", "Traceback"),
        root=Path("/sweep"),
        subdir="3",
        facts={"config": {"x": 1}, "cpu_s": 0.5},
    )
    row = nested_row(record)
    assert row["overrides"] == {"model": "cnn", "x": [1, 2]}
    assert row["error"] == {"type": "ValueError", "message": "boom", "traceback": "Traceback"}
    assert row["output_dir"] == str(Path("/sweep/3"))
    assert (row["facts"], row["config"]) == ({"cpu_s": 0.5}, {"x": 1})
    assert "config" not in nested_row(record, include_config=False)


def test_the_columns_are_the_union_over_all_jobs() -> None:
    """A metric, an override or a fact that first appears in job 50 has its column."""
    jobs = [job(n, f"x={n}", value={"a": n}) for n in range(50)]
    jobs.append(job(50, "x=50", "~y", value={"a": 1, "b": {"c": 2}}, facts={"gpu": {"used_bytes": 7}}))
    rows = list(flat_rows(jobs))
    assert len(rows) == 51
    assert {"~y", "return_value.b.c", "gpu.used_bytes"} <= rows[0].keys()
    assert (rows[0]["return_value.b.c"], rows[50]["return_value.b.c"], rows[50]["gpu.used_bytes"]) == (None, 2, 7)


def test_columns_have_different_names() -> None:
    """Overrides and facts called like our own columns are told apart, and so are keys that hold dots."""
    jobs = [
        job(0, "status=x", "return_value=2", "host=a", "cpu_s=1", value={"a.b": 1, "a": {"b": 2}}, facts={"cpu_s": 2}),
        job(1, value=3),
    ]
    columns = results_table(a_run(*jobs)).columns
    assert len(set(columns)) == len(columns)
    row = next(iter(flat_rows(jobs)))
    assert (row["status"], row["overrides.status"], row["overrides.host"]) == ("COMPLETED", "x", "a")
    assert (row["cpu_s"], row["facts.cpu_s"]) == (1, 2)
    assert sorted(value for name, value in row.items() if name.startswith("return_value") and value is not None) == [1, 2]
    assert list(flat_rows(jobs))[1]["return_value"] == 3


def test_what_was_cut_stays_in_one_column() -> None:
    """So does an empty mapping, and one of more than a hundred items."""
    cut = Cut({"repr": "[0, 1, ...]", "type": "list", "length": 10**6})
    jobs = [job(0, value={"pixels": cut, "none": {}, "many": {str(n): n for n in range(101)}}), job(1, value=cut)]
    columns = [column for column in results_table(a_run(*jobs)).columns if column.startswith("return_value")]
    assert columns == ["return_value.pixels", "return_value.none", "return_value.many", "return_value"]


def test_what_no_encoding_has_is_escaped(tmp_path: Path) -> None:
    """Half a surrogate pair, and an integer of thousands of digits: every format is written."""
    run = a_run(job(0, value={"half": "a\ud800", "large": 10**5000, "\udc00": 1}), job(1, value={"half": 1}))
    for name in ("r.json", "r.csv", "r.md", "r.parquet"):
        write_table(tmp_path / name, results_table(run), Path(name).suffix)
    (row, _) = json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert from_json(row["return_value"]) == {"half": "a\ud800", "large": 10**5000, "\udc00": 1}
    assert pyarrow.parquet.read_table(tmp_path / "r.parquet").column("return_value.half").to_pylist() == ["a\\ud800", "1"]


def test_a_run_without_jobs_has_an_empty_table(tmp_path: Path) -> None:
    """No job started: the file is there, and valid."""
    for name in ("r.json", "r.jsonl", "r.csv", "r.md", "r.parquet"):
        write_table(tmp_path / name, results_table(a_run()), Path(name).suffix)
        write_table(tmp_path / f"average_{name}", settings_table([], ["seed"]), Path(name).suffix)
    assert json.loads((tmp_path / "r.json").read_text("utf-8")) == []
    assert pyarrow.parquet.read_table(tmp_path / "r.parquet").num_rows == 0


def test_markdown_cells_stay_in_their_cells() -> None:
    """Pipes are escaped, newlines are spaces, long text is cut, numbers are aligned to the right."""
    lines = markdown(["n", "text"], [[1, "a|b\nc"], [None, "x" * 1000], [0.123456789, None]]).splitlines()
    assert lines[1].startswith("| -------: | ---")
    assert "a\\|b c" in lines[2]
    assert lines[3].endswith("…" + " |")
    assert "| 0.123457 |" in lines[4]
    assert len(set(map(len, lines))) == 1


def test_the_best_come_first_and_the_broken_last() -> None:
    """Then NaN, then jobs without the metric, then jobs that did not complete; equals by number."""
    jobs = [
        job(0, value={"a": NAN}),
        job(1, value={"b": 9}),
        job(2, value={"a": 0.5}),
        job(3, status="FAILED"),
        job(4, value={"a": INF}),
        job(5, value={"a": 0.5}),
        job(6, value={"a": -1}),
        job(7, status="INTERRUPTED"),
    ]
    assert [one.job_num for one in ranked(jobs, "a")] == [4, 2, 5, 6, 0, 1, 3, 7]
    assert [one.job_num for one in ranked(jobs, "a", "min")] == [6, 2, 5, 4, 0, 1, 3, 7]
    assert best_job(jobs, "a") is jobs[4]
    assert best_job(jobs[:2], "a") is best_job(jobs, "c") is best_job([], "a") is None
    assert metric_names(jobs) == ["a", "b"]


@pytest.mark.parametrize(
    ("value", "metric", "found"),
    [
        (0.5, "return_value", 0.5),
        ({"a": {"b": 2}}, "a.b", 2),
        ({"a.b": 3}, "a.b", 3),
        ({"a": {"b.c": 4}}, "a.b.c", 4),
        ({"a": 5}, "return_value.a", 5),
        ({"return_value": 6}, "return_value", 6),
        ({"a": True}, "a", None),
        ({"a": 10**400}, "a", None),
        ({"a": "x"}, "a.b", None),
        ({f"k{n}": n for n in range(500)}, "k499", 499),
        (None, "a", None),
    ],
)
def test_metrics_are_found_by_name(value: Any, metric: str, found: float | None) -> None:
    """Bare numbers, keys, dotted paths, keys that hold dots; what is no number is no metric."""
    assert metric_of(job(0, value=value), metric) == found


def test_averages_are_over_jobs_that_differ_in_the_seed_only() -> None:
    """Count, mean, sample deviation, minimum and maximum; typed values keep combinations apart; failed jobs are counted."""
    jobs = [
        *(job(n, "model=a", f"+seed={n}", value={"acc": float(n), "note": "x"}) for n in range(3)),
        job(3, "model=a", "seed=3", status="FAILED"),
        job(4, "model=b", "seed=0", value=1),
        job(5, "model='1'", "seed=0"),
        job(6, "model=1", "seed=0"),
    ]
    first, second, *others = settings_of(jobs, ["seed"])
    assert (first.overrides, len(first.jobs), len(first.completed), len(first.failed)) == ({"model": "a"}, 4, 3, 1)
    assert first.figures("acc") == Figures(3, 1.0, 1.0, pytest.approx(3**-0.5), 1.0, 0.0, 2.0)
    assert second.figures("return_value") == Figures(1, 1.0, None, None, 1.0, 1.0, 1.0)
    assert [other.overrides["model"] for other in others] == ["1", 1]
    assert [other.figures("return_value") for other in others] == [None, None]
    row = next(iter(settings_table(jobs, ["seed"]).nested()))
    assert (row["jobs"], row["completed"], row["metrics"]["return_value.acc"]["stderr"]) == (4, 3, pytest.approx(3**-0.5))


def test_averages_of_what_is_no_ordinary_number() -> None:
    """NaN shows; infinities and numbers beyond the largest float make no error."""
    spoilt = figures([1.0, NAN])
    assert all(math.isnan(getattr(spoilt, name)) for name in ("mean", "std", "stderr", "median", "min", "max"))
    assert figures([INF, 1.0]).mean == INF
    assert math.isnan(figures([INF, -INF]).mean)
    assert figures([1e308, 1e308]).std is not None
    assert math.isnan(figures([INF, INF]).std or 0), "as numpy says it"
    (row,) = settings_table([job(0, value=10**400)], []).nested()
    assert row["metrics"] == {}, "no float holds it, and show and table leave it out as well"


def test_markdown_takes_no_cell_for_anything_else() -> None:
    """HTML, links, code, emphasis, the end of a cell and line breaks are text on a page; in a log they are what they are."""
    text = "<b onclick=x>|[a](http://b)`c`*d*&lt;\\\nnext\x1b[2J\u202e"
    page, log = markdown([text], [[text]]), markdown([text], [[text]], for_a_page=False)
    assert page.splitlines()[2] == (r"| \<b onclick=x\>\|\[a\](http://b)\`c\`\*d\*\&lt;\\ next\\x1b\[2J\\u202e |")
    assert page.splitlines()[0] == page.splitlines()[2]
    assert log.splitlines()[2] == r"| <b onclick=x>|[a](http://b)`c`*d*&lt;\ next\x1b[2J\u202e |", "it is copied from there"
    assert markdown(["x"], [["|" * 200]]).splitlines()[2].count("\\|") == MAX_CELL - 1


def test_a_job_that_was_run_again_keeps_its_first_id() -> None:
    """A column and a key of it only where there is such a job; an override of that name has another column."""
    again = job(0, "first_job_id=7", job_id="140", first_job_id="123_0")
    (row,) = flat_rows([again])
    assert (row["job_id"], row["first_job_id"], row["overrides.first_job_id"]) == ("140", "123_0", 7)
    assert nested_row(again)["first_job_id"] == "123_0"
    assert "first_job_id" not in nested_row(job(1))
    assert all("first_job_id" not in row for row in flat_rows([job(1)]))
