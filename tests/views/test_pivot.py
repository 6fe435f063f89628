"""A pivot table of settings, in every format."""

import csv
import io

import pytest

from hydra_callback_kit.journal.records import JobRecord
from hydra_callback_kit.views.pivot import AmbiguousError, pivot
from hydra_callback_kit.views.pivot_formats import FORMATS

VALUES = {
    ("cnn", "a_b"): [0.9, 0.92, 0.91],
    ("cnn", "c"): [0.5, 0.52],
    ("m|p", "a_b"): [0.8, 0.7, 0.6],
    ("m|p", "d"): [None, None, None],
}


def jobs() -> list[JobRecord]:
    """Two models on three datasets, three seeds each, some of which failed or were never run."""
    each = [(model, data, seed, value) for (model, data), values in VALUES.items() for seed, value in enumerate(values)]
    return [
        JobRecord(
            num,
            "FAILED" if value is None else "COMPLETED",
            (f"model='{model}'", f"data={data}", f"seed={seed}"),
            return_value=value and {"acc": value},
        )
        for num, (model, data, seed, value) in enumerate(each)
    ]


def text(suffix: str, **given: object) -> str:
    """The table in a format."""
    known = {"rows": ["model"], "columns": ["data"], "over": ["seed"], "metric": "acc", "mode": "max", **given}
    return FORMATS[suffix](pivot(jobs(), **known))  # type: ignore[arg-type]  # as keywords


def test_latex() -> None:
    """With booktabs; what LaTeX would take for a command is text."""
    assert (
        text(".tex")
        == r"""% acc: mean ± standard error of 3 jobs; in brackets the number of jobs where there are fewer
\begin{tabular}{lrrr}
\toprule
& \multicolumn{3}{c}{data} \\
\cmidrule(lr){2-4}
model & a\_b & c & d \\
\midrule
cnn & $\mathbf{0.910 \pm 0.006}$ & $\mathbf{0.510 \pm 0.010}$ (2) & -- \\
m|p & $0.70 \pm 0.06$ & -- & -- \\
\bottomrule
\end{tabular}
"""
    )


def test_markdown() -> None:
    """As a page; without columns there is one, the metric."""
    assert (
        text(".md")
        == """\
| model | data=a_b          | data=c                | data=d |
| ----- | ----------------: | --------------------: | -----: |
| cnn   | **0.910 ± 0.006** | **0.510 ± 0.010 (2)** | -      |
| m\\|p  | 0.70 ± 0.06       | -                     | -      |

acc: mean ± standard error of 3 jobs; in brackets the number of jobs where there are fewer
"""
    )
    lines = text(".md", rows=["model", "data"], columns=[]).splitlines()
    assert [line.split(" | ")[0] for line in lines[2:6]] == ["| cnn  ", "| cnn  ", "| m\\|p ", "| m\\|p "]
    assert "**0.910 ± 0.006**" in lines[2]


def test_html_and_csv() -> None:
    """To paste into a page, and for a program."""
    page = text(".html")
    assert '<tr><th scope="row">cnn</th><td><strong>0.910 ± 0.006</strong></td>' in page
    assert page.count("<td>") == 6
    head, first, second = csv.reader(io.StringIO(text(".csv")))
    assert head[:4] == ["model", "data=a_b.mean", "data=a_b.stderr", "data=a_b.count"]
    assert (float(first[1]), first[3], first[7:]) == (pytest.approx(0.91), "3", ["", "", ""])
    assert second[0] == "m|p"


def test_the_best_by_what_is_asked_for() -> None:
    """The smallest, or the best bound, for which one job is not enough."""
    assert r"$0.910 \pm 0.006$" in text(".tex", mode="min")
    assert r"\mathbf{0.70 \pm 0.06}" in text(".tex", mode="min")
    assert r"\mathbf" not in text(".tex", over=[], rows=["model", "seed"], rank_by="lower_bound")


def test_what_would_share_a_cell() -> None:
    """The keys that tell them apart are named."""
    with pytest.raises(AmbiguousError) as told:
        text(".md", over=[])
    assert told.value.keys == ["seed"]
