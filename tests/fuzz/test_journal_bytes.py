"""A journal whatever has become of its bytes: no crash, no intact line lost, and every view of it valid."""

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from click.testing import CliRunner
from fuzz.test_return_values import check_tables
from hypothesis import given
from hypothesis import strategies as st
from journals import Fresh, a_run, lines_of, rewritten, write_job, write_sweep
from strategies import plain

from hydra_callback_kit.cli.main import main
from hydra_callback_kit.journal.format import JournalNotFoundError
from hydra_callback_kit.journal.line import BrokenLineError, parse_line
from hydra_callback_kit.journal.reader import read_run, read_runs
from hydra_callback_kit.journal.records import RunRecord
from hydra_callback_kit.views.again import never_started
from hydra_callback_kit.views.commands import NotRecordedError
from hydra_callback_kit.views.comparison import differences
from hydra_callback_kit.views.concurrency import concurrency_text, job_states
from hydra_callback_kit.views.files import json_text
from hydra_callback_kit.views.metrics import metric_names
from hydra_callback_kit.views.performance import performance_summary, performance_text
from hydra_callback_kit.views.ranking import ranking_text
from hydra_callback_kit.views.summary import run_summary


@pytest.fixture(scope="module")
def lines(fresh: Fresh) -> list[bytes]:
    """The lines of two sweeps' journals."""
    root = fresh("written")
    write_sweep(root)
    write_job(a_run(root, "20260202T000000-bb"), 7, "COMPLETED", return_value={"acc": 0.5, "nested": {"loss": 1}})
    return lines_of(root)


def journal_of(root: Path, *contents: bytes) -> Path:
    """A directory whose journal has these files."""
    (root / ".callbacks").mkdir()
    for number, content in enumerate(contents):
        (root / ".callbacks" / f"20260101T000000-aa.x-{number}-2.jsonl").write_bytes(content)
    return root


@given(seed=st.integers(), repeats=st.lists(st.integers(0, 12), max_size=10))
def test_order_and_repetition_make_no_difference(fresh: Fresh, seed: int, repeats: list[int]) -> None:
    """Any order of the lines, any of them repeated: the same record."""
    root = fresh("run")
    write_sweep(root)
    expected = repr(read_run(root))
    lines = lines_of(root)
    shuffled = lines + [lines[index % len(lines)] for index in repeats]
    random.Random(seed).shuffle(shuffled)  # noqa: S311  a test's order needs no secrecy
    assert repr(rewritten(root, shuffled)) == expected


@given(cut=st.integers(1, 200))
def test_a_torn_last_line_is_ignored(fresh: Fresh, cut: int) -> None:
    """A process killed as it wrote leaves half a line, and everything before it counts."""
    root = fresh("run")
    write_sweep(root)
    lines = lines_of(root)
    run = rewritten(root, [*lines[:-1], lines[-1][:-cut]])
    assert not run.broken_lines
    assert len(run.jobs) == 4


@given(data=st.data())
def test_a_flipped_byte_costs_one_line_and_is_named(fresh: Fresh, data: st.DataObject) -> None:
    """Whatever byte is changed: every other line is read, and an unreadable one is named with file and line."""
    root = fresh("run")
    write_sweep(root)
    lines = lines_of(root)
    number = data.draw(st.integers(0, len(lines) - 1))
    position = data.draw(st.integers(0, len(lines[number]) - 2))
    lines[number] = lines[number][:position] + bytes([data.draw(st.integers(0, 255))]) + lines[number][position + 1 :]
    run = rewritten(root, lines)
    for broken in run.broken_lines:
        assert broken.line_number in (number + 1, number + 2)
        assert str(broken).startswith(f"{broken.file}:{broken.line_number}: ")
    assert len(run.jobs) >= 3


@given(data=st.data())
def test_whatever_became_of_its_bytes(fresh: Fresh, lines: list[bytes], data: st.DataObject) -> None:
    """Flipped, cut, mixed, repeated, with other bytes and lines between: what is intact counts as if it stood alone."""
    contents = data.draw(st.lists(damaged(lines), min_size=1, max_size=3))
    run = check_views(journal_of(fresh("run"), *contents))
    pieces = [piece for content in contents for piece in content.split(b"\n")]
    intact = [piece + b"\n" for piece in pieces if is_intact(piece)]
    assert all(is_intact(line[:-1]) for line in lines)
    alone = read_run(journal_of(fresh("alone"), b"".join(intact)), run.run_id)
    assert without_place(run) == without_place(alone)


_TEXTS = st.sampled_from(
    ["", "x", "2026-01-01T00:00:00", "2026-01-01", "COMPLETED", "a\nb", "\ud800", "[bold]", "../x", "/"]
)
_ANYTHING = (
    plain | _TEXTS | st.sampled_from([-1, -1e300, 10**400, 1e308, float("nan"), float("inf"), [], {}, [[]], {"": {}}])
)
_FACTS = st.sampled_from(
    [
        *(
            "overrides",
            "output_dir",
            "status",
            "duration_s",
            "error",
            "return_value",
            "job_id",
            "job_name",
            "config",
            "rerun",
        ),
        *("cpu_s", "peak_rss_bytes", "mode", "planned_jobs", "planned_overrides", "command", "program", "cwd", "aborted"),
        *("hydra_overrides", "resources", "git", "files", "sweeper"),
    ]
)


@given(data=st.data())
def test_whatever_the_lines_say(fresh: Fresh, lines: list[bytes], data: st.DataObject) -> None:
    """Lines that the writer never writes: any value for any field and for any fact."""
    said = []
    for text in data.draw(st.lists(st.sampled_from(lines), min_size=1, max_size=8)):
        line = json.loads(text)
        for field in data.draw(st.lists(st.sampled_from(sorted(line)), max_size=2)):
            line[field] = data.draw(_ANYTHING)
        if isinstance(line["facts"], dict):
            line["facts"] = {**line["facts"], **data.draw(st.dictionaries(_FACTS, _ANYTHING, max_size=4))}
        said.append(json.dumps(line).encode("ascii"))  # also NaN, which is no JSON
    check_views(journal_of(fresh("run"), b"\n".join([*said, b""])))


_HOSTILE = st.sampled_from(
    [
        *(
            "\x1b]0;x\x07",
            "\x9b31m",
            "\x7f",
            "\x85",
            "\u2028",
            "\u202e",
            "\u2066",
            "\r",
            "\0",
            "=1+1",
            "</script>",
            "`|[x](y)`",
        ),
        *("\ud800", "x=[[[[", "x=range(0,1000000000000)", "x=" + "9" * 5_000, "--version", "..", "/dev/zero", "**", "${x}"),
    ]
)
_RAW = st.sampled_from(
    [
        *("[" * levels + "]" * levels for levels in (50, 99, 101, 1_000, 100_000)),
        *('{"a":' * levels + "1" + "}" * levels for levels in (50, 101, 3_000)),
        *("9" * 4_299, "9" * 5_000, "-1", "1e999999999", "-0", "1" + "0" * 18, "9007199254740993", '"\\ud800"', "NaN"),
        *('"1970-01-01T00:00:00+00:00"', '"0001-01-01T00:00:00+00:00"', '"9999-12-31T23:59:59.999999+00:00"', "{}", '"NaN"'),
        '{"repr":"0x' + "f" * 5_000 + '","type":"int"}',
        '{"repr":[],"type":"str"}',
    ]
)
"""JSON that no writer writes, as it stands in the file."""


@st.composite
def odd_line(draw: st.DrawFn, lines: list[bytes]) -> bytes:
    """A line with something else in the place of some of its fields and facts."""
    line = json.loads(draw(st.sampled_from(lines)))
    raw: dict[str, str] = {}
    for place in (line, line["facts"]):
        names = draw(st.lists(st.sampled_from(sorted(place)) if place is line else _FACTS | _HOSTILE, max_size=2))
        for name in names:
            raw[f"<{len(raw)}>"] = draw(_RAW | st.builds(json.dumps, _HOSTILE | _ANYTHING | st.lists(_HOSTILE, max_size=3)))
            place[name] = f"<{len(raw) - 1}>"
    text = json.dumps(line)
    for mark, value in raw.items():
        text = text.replace(json.dumps(mark), value)
    return text.encode("ascii", "backslashreplace") + b"\n"


_COMMANDS = st.sampled_from(
    [
        *(["show"], ["show", "--json"], ["show", "--sort-by", "acc"], ["show", "--failed"], ["show", "--run", "x"]),
        *(["failed", "--traceback"], ["failed", "--json"], ["best"], ["best", "--sort-by", "acc", "--json"]),
        *(["rerun"], ["rerun", "--missing", "--assume-gone"], ["rerun", "x=1"], ["rerun", "--execute"], ["compare", "HERE"]),
        *(
            ["collect", "--safe-csv", "-o", "OUT.csv", "-o", "OUT.md", "-o", "OUT.json", "-o", "OUT.parquet"],
            ["compare", "HERE", "--json"],
        ),
        *(["attach", "-n", "0"],),
        *(["report", "-o", "OUT.html"], ["report", "--metric", "acc", "-o", "OUT.html"]),
    ]
)


@given(data=st.data(), command=_COMMANDS)
def test_no_journal_ends_a_command(fresh: Fresh, lines: list[bytes], data: st.DataObject, command: list[str]) -> None:
    """Nested, cut and mixed: no traceback, an exit code that is documented, and nothing that controls a terminal."""
    root = fresh("run")
    newer = [line.replace(b'"v":1', b'"v":2', 1) for line in lines[:2]]
    content = st.lists(odd_line(lines) | damaged([*lines, *newer]), min_size=1, max_size=4).map(b"".join)
    journal_of(root, *data.draw(st.lists(content | st.just(b"".join(lines)), min_size=1, max_size=3)))
    words = [str(root) if word == "HERE" else word.replace("OUT", str(root.parent / "out")) for word in command[1:]]
    with mock.patch("subprocess.Popen", side_effect=OSError("a test starts nothing that a journal names")):
        done = CliRunner().invoke(main, [command[0], str(root), *words])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert done.exit_code in (0, 1, 2), done.output
    assert "Traceback (most recent call last)" not in done.stderr
    printed = done.stderr if command[0] == "rerun" else done.output
    assert not re.search("[\0-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", printed), printed
    if "--json" in command and done.stdout:
        json.loads(done.stdout, parse_constant=pytest.fail)


@st.composite
def damaged(draw: st.DrawFn, lines: list[bytes]) -> bytes:
    """The bytes of a journal, rearranged and damaged."""
    content = b"".join(draw(st.lists(st.sampled_from(lines) | st.binary(max_size=30) | st.just(b"\n"), max_size=20)))
    for _ in range(draw(st.integers(0, 4))):
        start, end = sorted((draw(st.integers(0, len(content))), draw(st.integers(0, len(content)))))
        how = draw(st.sampled_from(["flip", "cut", "drop", "repeat", "insert"]))
        if how == "flip" and content:
            place = min(start, len(content) - 1)
            content = content[:place] + bytes([content[place] ^ (1 << draw(st.integers(0, 7)))]) + content[place + 1 :]
        elif how == "cut":
            content = content[:end]
        elif how == "drop":
            content = content[:start] + content[end:]
        elif how == "repeat":
            content = content[:end] + content[start:end] + content[end:]
        else:
            content = content[:start] + draw(st.binary(max_size=20)) + content[start:]
    return content


def is_intact(text: bytes) -> bool:
    """Whether the reader takes it for a line."""
    try:
        parse_line(text)
    except BrokenLineError:
        return False
    return True


def without_place(run: RunRecord) -> str:
    """A record without what says where its journal lies and what is broken in it."""
    jobs = tuple(
        (
            job.job_num,
            job.status,
            job.task_overrides,
            job.return_value,
            job.error,
            job.started_at,
            job.ended_at,
            job.duration_s,
            job.attempts,
            job.host,
            job.pid,
            job.subdir,
            job.facts,
        )
        for job in run.jobs
    )
    return repr((run.run_id, run.mode, run.status, jobs, run.started_at, run.ended_at, run.duration_s, run.facts))


def check_views(root: Path) -> RunRecord:
    """Looks at a run in every way there is; the run."""
    run = read_run(root)
    runs = read_runs(root)
    assert repr(run) in map(repr, runs) or run.run_id in [one.run_id for one in runs]
    for text in texts_of(run):
        assert isinstance(text, str)
    for value in (performance_summary(run), job_states(run)):
        json.loads(json_text(value), parse_constant=pytest.fail)
    check_tables(run, root)
    differences([run, *runs])
    for arguments, codes in (
        (["show"], {0}),
        (["show", "--json"], {0}),
        (["failed"], {0, 1}),
        (["rerun", "--missing"], {0, 1, 2}),
    ):
        done = CliRunner().invoke(main, [arguments[0], str(root), *arguments[1:]])
        assert done.exit_code in codes, (arguments, done.output)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        if "--json" in arguments:
            json.loads(done.stdout, parse_constant=pytest.fail)
    with pytest.raises(JournalNotFoundError):
        read_run(root, "nope")
    return run


def texts_of(run: RunRecord) -> Iterator[Any]:
    """All that is said of a run."""
    yield from (run_summary(run), performance_text(run), concurrency_text(run))
    for metric in metric_names(run.jobs):
        yield ranking_text(run.jobs, metric)
    try:
        never_started(run)
    except NotRecordedError as error:
        yield str(error)
