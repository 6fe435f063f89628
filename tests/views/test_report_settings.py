"""The settings on the report: how many seeds each has, how far they spread, and which is the best."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from report_pages import TIME, a_run, data_of, job, page_of, reported, sections_of

from hydra_callback_kit.cli.setting_pages import print_best_setting
from hydra_callback_kit.journal.metric_points import Point
from hydra_callback_kit.journal.records import RunRecord
from hydra_callback_kit.views.asked_ranking import AskedRanking
from hydra_callback_kit.views.best import best_in_short
from hydra_callback_kit.views.report import settings_part
from hydra_callback_kit.views.report.choice import ReportOptions, choose_metric, ranking_of
from hydra_callback_kit.views.report.settings_part import Settings
from hydra_callback_kit.views.setting_ranking import best_setting
from hydra_callback_kit.views.settings import settings_of

RANKING = {"metric": "acc", "mode": "max", "average_over": ["seed"], "rank_by": "mean"}


def a_sweep(**ranking: Any) -> RunRecord:
    """The single best job is of `m=b`, the best mean that of `m=a`; a seed of `m=c` failed, `m=d` has no number."""
    values = {"a": [0.5, 0.52, 0.54], "b": [0.6, 0.3, 0.3], "c": [0.4, None, 0.41], "d": [None, None, None]}
    jobs = [
        job(3 * place + seed, f"m={name}", "k=1", f"seed={seed}", value=value and {"acc": value, "loss": 1 - value})
        if value or name == "d"
        else job(3 * place + seed, f"m={name}", "k=1", f"seed={seed}", status="FAILED")
        for place, (name, seeds) in enumerate(values.items())
        for seed, value in enumerate(seeds)
    ]
    return a_run(*jobs, status="FAILED", facts={"ranking": {**RANKING, **ranking}})


def text_of(page: str, section: str) -> str:
    """What a section says, without its markup."""
    (body,) = re.findall(rf'<section id="{section}".*?</section>', page, re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def test_settings_come_before_the_jobs_and_the_summary_names_both_bests() -> None:
    """Mean and standard error, in the words of `best`; the best single job is another one; fewer seeds are marked."""
    page = page_of(a_sweep())
    assert sections_of(page)[:3] == ["summary", "settings", "results"]
    summary = text_of(page, "summary")
    assert (
        "Best setting acc (max of the mean over seed) 0.520 ± 0.012 m=a mean ± standard error of 3 seeds; 0.5 to 0.54"
        in summary
    )
    assert "Best single job largest acc 0.6 job 3 m=b k=1 seed=0" in summary
    assert re.findall(r'<tr><td class="right">(.*?)</td><td class="right( fewer)?".*?>(.*?)</td>', page) == [
        ("1", "", "3"),
        ("2", " fewer", "2 of 3"),
        ("3", "", "3"),
        ("", " fewer", "0 of 3"),
    ]
    assert "1 0.405 ± 0.005" in text_of(page, "settings")  # after the number of those that failed
    shown = data_of(page)["settings"]["shown"]
    assert [(one["name"], one["rank"], one["jobs"], one["values"]) for one in shown] == [
        ("m=a", 1, [0, 1, 2], [0.5, 0.52, 0.54]),
        ("m=c", 2, [6, 8], [0.4, 0.41]),
        ("m=b", 3, [3, 4, 5], [0.6, 0.3, 0.3]),
    ]
    assert shown[1]["mean"] == 0.405
    assert shown[1]["error"] == pytest.approx(0.005)


def test_it_is_ranked_as_the_record_says_or_as_it_is_asked_for() -> None:
    """By another figure, which has a column then; over other keys; not at all; a key that no job was given is named."""
    assert "max m=b k=1" not in text_of(page_of(a_sweep()), "settings")
    page = page_of(a_sweep(rank_by="max"))
    assert "Best setting acc (max of the max over seed) 0.40 ± 0.10 m=b" in text_of(page, "summary")
    assert '<th class="right">max</th>' in page
    assert data_of(page)["settings"]["shown"][0]["score"] == 0.6
    assert "min of the mean over seed" in page_of(a_sweep(), metric="loss")
    assert "settings" not in sections_of(page_of(a_sweep(average_over=[])))
    assert "settings" in sections_of(page_of(a_sweep(average_over=[]), average_over=("seed",)))
    page = page_of(a_sweep(average_over=["sed"]))
    assert "settings" not in sections_of(page)
    assert "Did you mean seed?" in page


@pytest.mark.parametrize(
    ("ranking", "options", "chosen"),
    [
        ({"metric": "loss", "mode": None}, {}, ("loss", "min")),
        ({"metric": "return_value.loss", "mode": "max"}, {}, ("loss", "max")),
        ({"metric": "loss", "mode": "max"}, {"mode": "min"}, ("loss", "min")),
        ({"metric": "loss", "mode": "max"}, {"metric": "acc"}, ("acc", "max")),
        ({"metric": "acc", "mode": "min"}, {"metric": "acc"}, ("acc", "min")),
        ({"metric": "none"}, {}, ("acc", "max")),
        ({"metric": 3, "average_over": 4, "rank_by": 5}, {}, ("acc", "max")),
    ],
)
def test_the_metric_is_that_of_the_record(ranking: dict[str, Any], options: dict[str, Any], chosen: tuple[str, str]) -> None:
    """Unless another one is asked for; a record may be damaged."""
    run, asked = a_sweep(**ranking), ReportOptions(**options)
    metric = choose_metric(run, ["acc", "loss"], asked)
    assert metric is not None
    assert ranking_of(run, asked, metric)[:2] == chosen


def test_many_settings_are_cut_and_the_page_says_so() -> None:
    """The best are shown."""
    jobs = [job(num, f"x={num // 2}", f"seed={num % 2}", value=float(num)) for num in range(300)]
    run = a_run(*jobs, facts={"ranking": {"average_over": ["seed"]}})
    page = page_of(run)
    assert f"the best {settings_part.MAX_SETTINGS} of 150 settings" in page
    assert data_of(page)["settings"]["shown"][0]["name"] == "x=149"
    many = a_run(*(job(num, "x=1", f"seed={num}", value=1.0 * num) for num in range(30)))
    settings = Settings(
        many, ranking_of(many, ReportOptions(average_over=("seed",)), metric_of(many)), ["return_value"], Path("/")
    )
    assert (len(settings.rows[0].jobs), settings.rows[0].more) == (settings_part.MAX_SEEDS, 20)


def metric_of(run: RunRecord) -> Any:
    """The metric of a sweep that returns bare numbers."""
    return choose_metric(run, ["return_value"], ReportOptions())


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_settings_that_cannot_be_ranked_have_no_best(value: float | None) -> None:
    """Nothing is claimed."""
    jobs = [job(0, "x=1", "seed=1", value=value), job(1, "x=2", "seed=1", value=value)]
    page = page_of(a_run(*jobs, facts={"ranking": RANKING}))
    assert ("Best setting" in page) is (value == float("inf"))
    data_of(page)


def test_settings_curves_and_ten_thousand_jobs_are_small(tmp_path: Path) -> None:
    """With plotly, which is 4.8 MB, the page stays below 8 MB."""
    points = [Point(TIME, step, {"val/loss": 1 / (1 + step), "val/acc": step / 300}) for step in range(300)]
    jobs = [job(num, f"lr={num // 5 / 7}", f"m={num // 5 % 3}", f"seed={num % 5}", value=num / 7) for num in range(10_000)]
    for num in range(9_900, 10_000):  # the best settings
        jobs[num] = replace(
            reported(tmp_path, num, points), task_overrides=jobs[num].task_overrides, return_value=jobs[num].return_value
        )
    page = page_of(a_run(*jobs, facts={"ranking": {"average_over": ["seed"]}}))
    assert len(page) < 3_200_000
    data = data_of(page)
    assert len(data["courses"][0]["bands"]) == 12
    assert len(data["settings"]["shown"]) == settings_part.MAX_SETTINGS


def test_the_best_setting_says_of_how_few_seeds_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """The card and `best`, in the words of `show`."""
    jobs = [job(num, f"m={'ab'[num // 4]}", f"seed={num % 4}", value={"acc": num / 10}) for num in range(7)]
    run = a_run(*jobs, job(7, "m=b", "seed=3", status="FAILED"), status="FAILED", facts={"ranking": RANKING})
    assert "0.50 ± 0.06 of 3 of 4 seeds m=b" in text_of(page_of(run), "summary")
    asked = AskedRanking("acc", "max", ("seed",), "mean")
    best = best_setting(settings_of(run.jobs, ("seed",)), "acc", "max", "mean")
    print_best_setting(run, best, "acc", asked)
    assert "0.50 ± 0.06 of 3 of 4 seeds (mean" in capsys.readouterr().out
    assert "0.50 ± 0.06 of 3 of 4 seeds (max" in best_in_short(run, asked, hint=False)
    assert " of 4 of 4 " not in text_of(page_of(a_run(*jobs[:4], facts={"ranking": RANKING})), "summary")
