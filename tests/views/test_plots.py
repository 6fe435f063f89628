"""A run in a notebook: its table, its plots, and what is said where there is none."""

import html.parser
import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_callback_kit import MetricNotFoundError
from hydra_callback_kit.journal.errors import JobError
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.views.plots.choice import Plotted
from hydra_callback_kit.views.plots.table import MAX_ROWS, run_html
from hydra_callback_kit.views.run import Run
from hydra_callback_kit.views.settings import settings_of


class Cells(html.parser.HTMLParser):
    """The texts of a table's cells, row by row, and every tag that there is."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.tags: set[str] = set()
        self._inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag begins."""
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self._inside = True
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        """A tag ends."""
        self._inside = self._inside and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        """A text."""
        if self._inside:
            self.rows[-1][-1] += data


def sweep(facts: dict[str, Any] | None = None, **others: Any) -> Run:
    """Two models, two rates, three seeds; one job failed."""
    jobs = [
        JobRecord(
            num,
            "COMPLETED" if num else "FAILED",
            (f"model={model}", f"lr={lr}", f"seed={seed}"),
            return_value={"acc": lr + seed / 10 + (model == "b"), "loss": 1.0 - lr} if num else None,
            error=None if num else JobError("ValueError", "<b>boom</b>", ""),
            started_at=f"2026-01-01T00:00:{num:02}+00:00",
            duration_s=1.5,
        )
        for num, (model, lr, seed) in enumerate((m, lr, s) for m in "ab" for lr in (0.001, 0.1) for s in (1, 2, 3))
    ]
    return Run("1", Path("/sweep"), "MULTIRUN", "FAILED", tuple(jobs), facts={"job_name": "app", **(facts or {})}, **others)


RANKED = {"ranking": {"metric": "acc", "mode": None, "average_over": ["seed"], "rank_by": "mean"}}
BY_JOB = {"ranking": {"metric": "acc", "mode": "max", "average_over": [], "rank_by": "mean"}}


def test_a_run_shows_its_jobs_the_best_first() -> None:
    """What failed comes last, with its error, whose text is text."""
    shown = Cells(sweep(BY_JOB)._repr_html_())
    assert shown.rows[0] == ["job", "status", "model", "lr", "seed", "acc", "loss", "took", "error"]
    assert shown.rows[1][:6] == ["11", "COMPLETED", "b", "0.1", "3", "1.4"]
    assert shown.rows[-1][0] == "0"
    assert shown.rows[-1][-1] == "ValueError: <b>boom</b>"
    assert "b" in shown.tags  # the app's name
    assert len(shown.rows) == 13
    assert repr(sweep()) == "<Run app: sweep FAILED, 11 completed, 1 failed (/sweep)>"
    assert [row[0] for row in Cells(sweep()._repr_html_()).rows[1:]] == [str(num) for num in range(12)]  # no metric is known


def test_a_run_shows_its_settings_where_its_record_says_so() -> None:
    """As `show` does, and so does a list of settings."""
    run = sweep(RANKED)
    shown = Cells(run._repr_html_())
    assert shown.rows[0] == ["seeds", "failed", "model", "lr", "acc", "loss"]
    assert [row[2:4] for row in shown.rows[1:]] == [["b", "0.1"], ["b", "0.001"], ["a", "0.1"], ["a", "0.001"]]
    assert "mean ± standard error, the best first by acc: max of the mean over seed" in run._repr_html_()
    settings = run.settings()
    assert settings == settings_of(run.jobs, ["seed"])
    assert repr(settings[0]) == "<Setting model=a lr=0.001: 2 of 3 jobs completed>"
    assert len(Cells(settings._repr_html_()).rows) == 5  # type: ignore[attr-defined]  # a list to types


def test_a_long_table_has_the_first_rows() -> None:
    """And says how many there are."""
    jobs = tuple(JobRecord(num, "COMPLETED", (f"x={num}",), return_value=float(num)) for num in range(50))
    text = run_html(RunRecord("1", Path("/s"), "MULTIRUN", "COMPLETED", jobs))
    assert len(Cells(text).rows) == MAX_ROWS + 1
    assert f"{MAX_ROWS} of 50 jobs, the best first by return_value (max)" in text
    assert "<table" not in run_html(RunRecord("1", Path("/s"), "MULTIRUN", "FAILED"))


@given(st.text(min_size=1), st.text(), st.text())
def test_nothing_of_a_run_is_read_as_html(name: str, value: str, key: str) -> None:
    """Whatever an override, a metric or an error holds."""
    jobs = tuple(
        JobRecord(num, "FAILED", (f"x={value}{num}",), {name: 1.0, key: 2.0}, JobError(f"<i>{value}", f"<script>{name}", ""))
        for num in range(2)
    )
    tags = Cells(run_html(RunRecord("1", Path("/<u>"), "MULTIRUN", "FAILED", jobs, facts={"job_name": f"<a>{value}"}))).tags
    assert tags <= {"div", "b", "span", "br", "code", "table", "thead", "tbody", "tr", "th", "td", "small"}


@pytest.mark.parametrize(
    ("facts", "names"),
    [
        ({}, ["parallel", "matters", "timeline", "model", "lr", "seed"]),
        (RANKED, ["settings", "parallel", "matters", "timeline", "model", "lr", "seed"]),
    ],
)
def test_every_plot_has_a_name(facts: dict[str, Any], names: list[str]) -> None:
    """The most telling is drawn where none is asked for; each is one of plotly's figures, which JSON holds."""
    run = sweep(facts)
    assert Plotted(run).names == names
    assert run.plot() == run.plot(names[0])
    for name in names:
        drawn = json.loads(run.plot(name).to_json())
        assert drawn["data"], name


def test_what_is_drawn() -> None:
    """The numbers of the run, on the axes of the report."""
    run = sweep(RANKED)
    dots, means = run.plot("settings").data
    assert list(means.y) == ["model=b lr=0.1", "model=b lr=0.001", "model=a lr=0.1", "model=a lr=0.001"]
    assert means.x[0] == pytest.approx(1.3)
    assert means.error_x.array[0] == pytest.approx(0.1 / 3**0.5)
    assert len(dots.x) == 11
    assert run.plot("settings", metric="loss").data[1].y[0] == "model=a lr=0.1"  # a loss is best where it is small
    dots, medians = run.plot("model").data
    assert list(medians.x) == ["a", "b"]
    assert list(medians.y) == [statistics.median(y for x, y in zip(dots.x, dots.y, strict=True) if x == at) for at in "ab"]
    assert medians.name == "median", "as in the report"
    assert run.plot("lr", metric="loss").data[1].y[0] == pytest.approx(0.999)
    parallel = run.plot("parallel").data[0]
    assert [each.label for each in parallel.dimensions] == ["model", "lr", "seed", "acc"]
    assert len(parallel.dimensions[0]["values"]) == 11
    bars = run.plot("timeline").data
    assert {bar.name: len(bar.x) for bar in bars} == {"completed": 11, "failed": 1}


def test_two_objectives_have_a_front() -> None:
    """Drawn first."""
    jobs = tuple(JobRecord(n, "COMPLETED", (f"x={n}",), return_value=[n, (n - 2) ** 2]) for n in range(5))
    facts = {"directions": ["minimize", "minimize"]}
    run = Run("1", Path("/s"), "MULTIRUN", "COMPLETED", jobs, facts=facts)
    beaten, front = run.plot().data
    assert (list(front.x), list(beaten.x)) == ([0, 1, 2], [3, 4])


@pytest.mark.parametrize(
    ("asked", "error", "said"),
    [
        ({"name": "paralel"}, ValueError, "Did you mean parallel? There are: 'parallel', 'matters', 'timeline', 'model'"),
        ({"name": "settings"}, ValueError, "Write for example over=['seed']"),
        ({"name": "settings", "over": ["sed"]}, ValueError, "over names 'sed', which no job was given. Did you mean seed?"),
        ({"over": "seed"}, ValueError, "Write over=['seed']"),
        ({"mode": "best"}, ValueError, "allowed is 'max' or 'min'"),
        ({"metric": "ac"}, MetricNotFoundError, "Did you mean acc?"),
        *(
            (
                {"name": name, "metric": "los", "over": over},
                MetricNotFoundError,
                "'los'. Did you mean loss? Metrics are: acc, loss",
            )
            for name, over in [("settings", None), ("settings", ["seed"]), ("timeline", None), ("lr", None), ("lrr", None)]
        ),
        *(
            ({"name": name, "metric": "los"}, MetricNotFoundError, "'los'. Did you mean loss? Metrics are: acc, loss")
            for name in ("parallel", "matters", "front")
        ),
        ({"name": "curves", "metric": "los"}, MetricNotFoundError, "No completed job has a metric 'los'. Metrics are: none"),
    ],
)
def test_what_cannot_be_drawn(asked: dict[str, Any], error: type[Exception], said: str) -> None:
    """It is said what can."""
    with pytest.raises(error) as raised:
        sweep().plot(**asked)
    assert said in str(raised.value)


def test_nothing_to_plot() -> None:
    """A run of one job that failed."""
    with pytest.raises(ValueError, match="There is nothing to plot"):
        Run("1", Path("/s"), "RUN", "FAILED", (JobRecord(0, "FAILED"),)).plot()


@pytest.mark.parametrize("name", ["settings", "parallel", "matters", "front", "seed"])
def test_all_jobs_failed(name: str) -> None:
    """That is said, whatever else is missing."""
    jobs = tuple(JobRecord(n, "FAILED", (f"seed={n}",), started_at="2026-01-01T00:00:00+00:00") for n in range(3))
    run = Run("1", Path("/s"), "MULTIRUN", "FAILED", jobs)
    with pytest.raises(ValueError, match=r"no job has completed with a finite number: 3 failed\. There are: 'timeline'"):
        run.plot(name)
    with pytest.raises(ValueError, match="No job has completed with loss: 3 failed"):
        run.plot(name, metric="loss")


def test_plotly_is_imported_by_who_plots() -> None:
    """The table needs nothing; without plotly it is said what to install."""
    code = (
        "import sys; sys.modules['plotly'] = None\n"
        "from pathlib import Path\n"
        "from hydra_callback_kit.views.run import Run\n"
        "from hydra_callback_kit.journal.records import JobRecord\n"
        "jobs = tuple(JobRecord(n, 'COMPLETED', (f'x={n}',), return_value=n) for n in range(3))\n"
        "run = Run('1', Path('/s'), 'MULTIRUN', 'COMPLETED', jobs)\n"
        "assert '<table' in run._repr_html_()\n"
        "assert 'pandas' not in sys.modules\n"
        "try:\n    run.plot()\nexcept ModuleNotFoundError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "plot() needs plotly: pip install 'hydra-callback-kit[report]'\n"
