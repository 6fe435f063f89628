"""Whatever a task function returns: strict JSON, the same again when it is read, and a table in every format."""

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from journals import Fresh, a_run, write_job
from strategies import objects, plain, same, scalars

from hydra_callback_kit.journal.encoder import MAX_STRING, to_json
from hydra_callback_kit.journal.reader import read_run
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.journal.values import Cut, as_json, from_json
from hydra_callback_kit.views.metrics import metric_names
from hydra_callback_kit.views.ranking import best_job, ranking_text
from hydra_callback_kit.views.results import results_table
from hydra_callback_kit.views.settings import settings_table
from hydra_callback_kit.views.table_formats import FORMATS, write_table

STRICT = {"parse_constant": pytest.fail}


@given(plain)
def test_plain_values_come_back_equal(value: Any) -> None:
    """Numbers, strings, booleans, null, NaN, infinities, and lists and mappings of them survive JSON text."""
    text = json.dumps(to_json(value), allow_nan=False)
    assert same(from_json(json.loads(text, **STRICT)), value)


@given(st.integers(min_value=-(10**5000), max_value=10**5000))
def test_integers_of_any_size_come_back_equal(value: int) -> None:
    """Also those that Python refuses to print."""
    assert from_json(json.loads(json.dumps(to_json(value)))) == value


@given(objects)
def test_any_object_is_strict_json(value: Any) -> None:
    """It never raises, what is read is written the same again, and nothing grows beyond its bounds."""
    encoded = to_json(value)
    text = json.dumps(encoded, allow_nan=False)
    assert as_json(from_json(json.loads(text, **STRICT))) == encoded
    assert len(text) < 100 * MAX_STRING


@given(st.lists(objects, min_size=1, max_size=3))
def test_any_object_goes_through_the_journal_into_every_format(fresh: Fresh, values: Any) -> None:
    """What jobs returned is on record, ranked and averaged, and every table is valid."""
    root = fresh("run")
    for num, value in enumerate(values):
        write_job(a_run(root), num, "COMPLETED", return_value=value)
    run = read_run(root)
    assert [as_json(job.return_value) for job in run.jobs] == [to_json(value) for value in values]
    check_tables(run, root)
    for metric in metric_names(run.jobs):
        assert ranking_text(run.jobs, metric).count("\n") == 2 + len(values)
        best_job(run.jobs, metric)


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
cells = st.none() | st.booleans() | st.integers() | st.floats() | texts | st.lists(st.integers(), max_size=3)


@given(st.lists(st.dictionaries(texts.filter(lambda key: "." not in key), cells, min_size=1, max_size=4), min_size=1))
def test_every_format_keeps_every_value(fresh: Fresh, values: list[dict[str, Any]]) -> None:
    """NaN, infinities, quotes, commas, newlines, unicode: what was returned is read back from each format."""
    root = fresh("run")
    run = RunRecord(
        "r", root, "MULTIRUN", "COMPLETED", tuple(JobRecord(n, "COMPLETED", (f"x={n}",), v) for n, v in enumerate(values))
    )
    rows, table, arrow = check_tables(run, root)
    assert all(map(same, [row["return_value"] for row in rows], values))
    for written, from_csv, from_parquet in zip(values, table, arrow, strict=True):
        for key, value in written.items():
            if isinstance(value, list) and f"return_value.{key}.0" in from_csv:  # a short sequence has a column an item
                cells = [from_csv[f"return_value.{key}.{place}"] for place in range(len(value))]
                assert all(map(same, map(float, cells), map(float, value)))
                continue
            cell, typed = from_csv[f"return_value.{key}"], from_parquet[f"return_value.{key}"]
            if value is None:
                assert (cell, typed) == ("", None)
            elif isinstance(value, str):
                assert cell == typed == value
            elif isinstance(value, float):
                assert same(float(cell), value)
                assert same(float(typed), value)
            elif isinstance(value, int) and not isinstance(value, bool):
                assert int(cell) == value
                assert int(typed) == value
            else:
                assert json.loads(cell) == value
                assert (json.loads(typed) if isinstance(typed, str) else typed) == value


looks = st.fixed_dictionaries(
    {"repr": plain, "type": st.sampled_from(["str", "int", "dict", "list", "x"]) | scalars}, optional={"length": scalars}
)


@given(st.recursive(looks | plain, lambda inner: st.fixed_dictionaries({"repr": inner, "type": st.just("dict")})))
@example({"repr": {"repr": {"repr": "NaN", "type": "str"}, "type": "dict"}, "type": "dict"})
def test_a_mapping_is_not_taken_for_what_was_cut(value: Any) -> None:
    """It comes back as it was, from the journal and from our tables, and is a mapping like others in their columns."""
    read = from_json(json.loads(json.dumps(to_json(value), allow_nan=False)))
    assert same(read, value)
    assert same(from_json(as_json(read)), value)
    assert type(from_json(to_json(object()))) is Cut


def check_tables(run: RunRecord, directory: Path) -> tuple[list[Any], list[dict[str, str]], list[dict[str, Any]]]:
    """Writes the results and the averages in every format and reads them back; the rows from JSON, CSV and Parquet."""
    for suffix in FORMATS:
        write_table(directory / f"r{suffix}", results_table(run), suffix)
        write_table(directory / f"a{suffix}", settings_table(run.jobs, ["seed"]), suffix)
    rows = [from_json(row) for row in json.loads((directory / "r.json").read_text("utf-8"), **STRICT)]
    lines = (directory / "r.jsonl").read_bytes().decode("utf-8").split("\n")[:-1]
    assert all(map(same, [from_json(json.loads(line, **STRICT)) for line in lines], rows))
    csv.field_size_limit(10**9)
    with (directory / "r.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file, strict=True))
    arrow = pyarrow.parquet.read_table(directory / "r.parquet").to_pylist()
    markdown = (directory / "r.md").read_bytes().decode("utf-8").removesuffix("\n").split("\n")
    assert len(rows) == len(table) == len(arrow) == len(markdown) - 2 == len(run.jobs)
    json.loads((directory / "a.json").read_text("utf-8"), **STRICT)
    return rows, table, arrow
