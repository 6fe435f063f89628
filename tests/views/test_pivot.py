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
        == r"""% acc: mean ± standard error of 3 seeds; in brackets the number of seeds where there are fewer
\begin{tabular}{lrrr}
\toprule
& \multicolumn{3}{c}{data} \\
\cmidrule(lr){2-4}
model & a\_b & c & d \\
\midrule
cnn & $\mathbf{0.910 \pm 0.006}$ & $\mathbf{0.510 \pm 0.010}$ (2) & -- \\
m\textbar{}p & $0.70 \pm 0.06$ & -- & -- \\
\bottomrule
\multicolumn{4}{l}{\footnotesize in brackets the number of seeds where there are fewer} \\
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

acc: mean ± standard error of 3 seeds; in brackets the number of seeds where there are fewer
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


def values(*overrides: str, metric: str = "acc") -> list[JobRecord]:
    """A job each override."""
    return [JobRecord(num, "COMPLETED", (each,), return_value={metric: num / 4}) for num, each in enumerate(overrides)]


@pytest.mark.parametrize(
    ("overrides", "heads"),
    [
        (("tag=1", "tag='1'"), ["1", "'1'"]),
        (("tag=''", "tag=null", "other=1"), ["''", "null", ""]),
        (("tag=true", "tag='true'", "tag=x"), ["true", "'true'", "x"]),
        (("tag=null", "other=1"), ["null", ""]),
        (("tag=1", "tag=1.0"), ["1", "1.0"]),
        (("tag='NaN'", "tag=nan", "tag=Infinity"), ["'NaN'", "nan", "Infinity"]),
        (("tag=0.1", "tag='x'"), ["0.1", "x"]),
    ],
)
def test_values_that_are_not_the_same(overrides: tuple[str, ...], heads: list[str]) -> None:
    """Have a row each; where two would be called the same, they are called as they were written."""
    table = pivot(values(*overrides), rows=["tag"], columns=[], over=[], metric="acc", mode="max")
    assert [head for (head,) in table.rows] == heads
    assert len(table.cells) == len(heads)


def test_what_would_share_a_cell_is_named_whatever_its_type() -> None:
    """1 and 1.0 are equal to Python, and two settings."""
    with pytest.raises(AmbiguousError) as told:
        pivot(values("tag=1", "tag=1.0"), rows=["other"], columns=[], over=[], metric="acc", mode="max")
    assert told.value.keys == ["tag"]


def test_texts_that_latex_would_take_for_something_else() -> None:
    """Options of the row before, numbers with an e, signs that the standard fonts do not have, control characters."""
    jobs = [
        JobRecord(num, "COMPLETED", (f"tag='{text}'",), return_value={"acc": value})
        for num, (text, value) in enumerate([("[1cm] a", 1.5e-5), ("*x", float("inf")), ("a<b>|\x1b", float("nan"))])
    ]
    lines = FORMATS[".tex"](pivot(jobs, rows=["tag"], columns=[], over=[], metric="acc", mode="min")).splitlines()
    assert lines[5:8] == [
        r"{[}1cm] a & $\mathbf{1.5 \times 10^{-5}}$ \\",
        r"{*}x & $\infty$ \\",
        r"a\textless{}b\textgreater{}\textbar{}\textbackslash{}x1b & $\mathrm{nan}$ \\",
    ]


def test_the_caption_says_what_is_bold_and_takes_no_name_for_markup() -> None:
    """Where that is not the mean; a metric may be called anything."""
    assert text(".md", rank_by="median").endswith("; bold: the best of each column by the median\n")
    assert "bold: the best of each column by the mean - standard error" in text(".tex", rank_by="lower_bound")
    jobs = values("tag=1", "tag=2", metric="<b>\n\x1b[2J")
    asked = pivot(jobs, rows=["tag"], columns=[], over=[], metric="<b>\n\x1b[2J", mode="max")
    assert FORMATS[".md"](asked).splitlines()[-1] == r"\<b\>\\x1b\[2J".replace(r"\>\\", r"\> \\")
    assert "\x1b" not in FORMATS[".html"](asked) + FORMATS[".tex"](asked)
