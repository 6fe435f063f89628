"""The report as users get it: from a sweep under each launcher, however it ends, and from the command line."""

import html
import importlib.util
import json
import os
import re
import textwrap
from pathlib import Path
from typing import Any

import pytest
from apps import App, without_numbers
from click.testing import CliRunner, Result

from hydra_callback_kit import ParameterError, ReportCallback
from hydra_callback_kit.cli.main import main
from hydra_callback_kit.journal.identity import JobIdentity, RunIdentity
from hydra_callback_kit.journal.writer import write_line

CONFIG = """
defaults:
  - callbacks: [report_callback]
  - _self_
x: 0
token: hunter2
"""
BODY = """
if cfg.x == 1:
    raise ValueError(f"boom with {cfg.token}")
loaded = [name for name in ("plotly", "jinja2", "hydra_callback_kit.views.results") if name in sys.modules]
return {"double": 2 * cfg.x, "loaded": loaded}
"""


def data_of(page: Path) -> dict[str, Any]:
    """What the page's script gets."""
    (text,) = re.findall(r'id="data" type="application/json">(.*)</script>', page.read_text("utf-8"))
    return json.loads(text, parse_constant=pytest.fail)


def test_a_sweep_with_a_failure_leaves_a_report(app: App, launcher: str) -> None:
    """Hydra 1.3 calls no end hook then; the jobs load nothing of what writes the report, and no secret is on the page."""
    app.write(BODY, CONFIG)
    done = app.sweep(launcher, "x=0,1,2", "token=swordfish")
    assert done.code == 1
    page = done.root / "report.html"
    assert f"Report of 3 jobs: {page}" in done.stdout
    data = data_of(page)
    assert (data["status"], data["links"]) == ("CFC", "")
    assert [column["texts"] for column in data["overrides"]] == [["0", "1", "2"]]
    assert [(column["name"], column["values"]) for column in data["metrics"]] == [("double", [0, None, 4])]
    assert list(map(without_numbers, data["headlines"])) == ["ValueError: boom with <redacted>"]
    assert "swordfish" not in page.read_text("utf-8")
    journal = "".join(file.read_text("ascii") for file in done.root.glob(".callbacks/*"))
    assert journal.count('"loaded":[]') == 2


def test_the_config_of_the_best_is_told_apart_from_the_sweep_s(app: App, launcher: str) -> None:
    """With the callback alone it is that of Hydra's own file; what differs stands beside it; secrets stay hidden."""
    app.write("return cfg.x / (1 + cfg.seed)", f"{CONFIG}seed: 0\nlr: 0.1\ntwice: ${{x}}\nother: ${{token}}\n")
    done = app.sweep(launcher, "x=1,2", "seed=0,1", "lr=0.5")
    assert done.code == 0
    told = config_of(done.root / "report.html")
    assert told.startswith(
        "Config of the best job, and what differs from the sweep's key before the job's overrides here x 0 2 x: 2"
    )
    assert "hunter2" not in (done.root / "report.html").read_text("utf-8")
    results = "callbacks=[report_callback,results_aggregator_callback]"
    over = "hydra.callbacks.results_aggregator_callback.average_over=[seed]"
    again = app.sweep(launcher, "x=1,2", "seed=0,1", "lr=0.5", results, over, f"hydra.sweep.dir={app.directory / 'again'}")
    assert again.code == 0
    told = config_of(app.directory / "again" / "report.html")
    assert told.startswith(
        "Config of the best setting, and what differs from the sweep's key before the job's overrides here x 0 2 "
    )
    told = re.sub(r"<redacted \d+>", "<redacted>", told)
    assert "twice 0 2 x: 2 token: <redacted> seed: (varies) lr: 0.5 twice: 2 other: <redacted>" in told


def config_of(page: Path) -> str:
    """What the part with the config says."""
    (part,) = re.findall(r'<details id="config".*?</details>', page.read_text("utf-8"), re.DOTALL)
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", part).split()))


def test_ctrl_c_leaves_a_report(app: App) -> None:
    """It is written as the process ends, when some modules can no longer be imported."""
    app.write('print("started", flush=True)\nif cfg.x == 1:\n    time.sleep(60)', CONFIG)
    app.run_and_interrupt("-m", "x=0,1,2", at=["started.*started"])
    assert data_of(app.directory / "out" / "report.html")["status"] == "CI"


def test_a_single_run_has_a_report_where_and_as_it_is_asked_for(app: App) -> None:
    """Another name, another folder, a title, plotly beside it; a run that was aborted before a job started has none."""
    app.write("return cfg.x / 2", CONFIG)
    given = ["output_file=reports/it.html", "title='<A run>'", "plotly_js=directory", "max_table_rows=5", "mode=min"]
    done = app.run("x=3", *(f"hydra.callbacks.report_callback.{one}" for one in given))
    assert done.code == 0
    page = (done.root / "reports" / "it.html").read_text("utf-8")
    assert "<h1>&lt;A run&gt;</h1>" in page
    assert '<a href="../.' in page
    assert "<code>1.5</code>" in page
    assert not (done.root / "reports" / "plotly.min.js").exists()  # it has no plots
    check = ["hydra.callbacks.validation_callback.required_keys=[nope]", "callbacks=[report_callback,validation_callback]"]
    assert app.run(*check, "hydra.run.dir=aborted").code == 1
    assert not (app.directory / "aborted" / "report.html").exists()


def test_the_page_of_a_single_run_says_what_it_did(app: App) -> None:
    """Its curves, its log's end, its failure; no secret, from the callback and from the command line; no script."""
    body = """
    import logging
    from hydra_callback_kit import report_metrics
    for step in range(20):
        report_metrics({"loss": 1 / (step + 1)}, step=step)
    logging.getLogger(__name__).warning("by %s", cfg.token)
    raise ValueError(f"boom with {cfg.token}")
    """
    app.write(textwrap.dedent(body), CONFIG)
    done = app.run("token=swordfish")
    assert done.code == 1
    by_callback = (done.root / "report.html").read_text("utf-8")
    report(done.root)
    by_command = (done.root / "report.html").read_text("utf-8")
    for page in (by_callback, by_command):
        assert "swordfish" not in page
        assert "<script" not in page
        assert re.findall(r'<section id="([a-z]+)"', page) == ["summary", "failures", "courses", "resources", "log"]
        assert re.search(r"WARNING\] - by &lt;redacted", page)
        assert re.search(r"<pre.*ValueError: boom with &lt;redacted", page, re.DOTALL)
        assert page.count("<svg") == 1
    assert "swordfish" in (done.root / "app.log").read_text("utf-8")


def test_a_file_of_that_name_is_kept(app: App) -> None:
    """What the job wrote itself is renamed, once, and the log says so; a report is written over."""
    app.write('open("out/report.html", "w").write("mine") if cfg.x else None', CONFIG)
    done = app.run("x=2")
    assert (done.root / "report.html.bak").read_text("utf-8") == "mine"
    assert f"it is kept as {done.root / 'report.html.bak'}" in done.stdout
    assert "it is kept" not in app.run("x=0").stdout
    assert sorted(file.name for file in done.root.glob("report*")) == ["report.html", "report.html.bak"]
    (done.root / "report.html").write_text("mine, too", "utf-8")
    assert "report.html.bak2" in report(done.root).output


def test_a_report_that_cannot_be_written_breaks_nothing(app: App) -> None:
    """The log says so, and the exit code is the job's own."""
    app.write('open("out/reports", "w").write("in the way")\nreturn 1', CONFIG)
    done = app.run("hydra.callbacks.report_callback.output_file=reports/it.html")
    assert done.code == 0
    assert "ReportCallback.at_the_end could not do its work" in done.stdout


@pytest.mark.parametrize(
    ("parameters", "wrong"),
    [
        ({"output_file": ""}, "output_file"),
        ({"mode": "most"}, "mode"),
        ({"plotly_js": "cdn"}, "plotly_js"),
        ({"max_table_rows": 0}, "max_table_rows"),
    ],
)
def test_a_wrong_parameter_fails_at_once(parameters: dict[str, Any], wrong: str) -> None:
    """It is named."""
    with pytest.raises(ParameterError) as raised:
        ReportCallback(**parameters)
    assert raised.value.parameter == wrong


@pytest.mark.parametrize("missing", ["jinja2", "plotly"])
def test_a_missing_extra_fails_at_once(app: App, missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The callback and the command name what to install; a page without plots needs no plotly."""
    root = started(app.directory / "sweep")
    hide = (
        f"import importlib.util as u; f = u.find_spec; u.find_spec = lambda name: None if name == {missing!r} else f(name)"
    )
    app.write("return cfg.x", CONFIG)
    source = (app.directory / "app.py").read_text("utf-8")
    (app.directory / "app.py").write_text(f"{hide}\n{source}", "utf-8")
    advice = f"needs {missing}, which is not installed. Type: pip install 'hydra-callback-kit[report]'"
    single, sweep = app.run(), app.run("-m", "x=0,1", "hydra.sweep.dir=both")
    assert (single.code == 0, (single.root / "report.html").exists()) == (
        (True, True) if missing == "plotly" else (False, False)
    )
    assert sweep.code == 1
    assert advice in sweep.stdout + sweep.stderr
    assert not (app.directory / "both" / "0").exists()
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == missing else found(name))
    assert f"The report needs {missing}: pip install 'hydra-callback-kit[report]'" in report(root, code=2).output


def report(*arguments: str | Path, code: int = 0) -> Result:
    """Runs the command in this process, in a pipe."""
    result = CliRunner().invoke(main, ["report", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result


def started(root: Path) -> Path:
    """A sweep that still runs: two jobs have completed, one runs in this process."""
    run = RunIdentity("20260101T000000000000-0000000a", root, "MULTIRUN")
    write_line(run, "run_started", {"mode": "MULTIRUN", "job_name": "app", "planned_jobs": 4})
    for num in range(3):
        job = JobIdentity(run, num, str(num), os.getpid(), str(num), "app", (), root / str(num))
        write_line(run, "job_started", {"overrides": [f"x={num}"], "output_dir": str(num)}, job)
        if num < 2:
            value = {"acc": num / 2, "loss": num / 4}
            write_line(run, "job_ended", {"status": "COMPLETED", "duration_s": 0.5, "return_value": value}, job)
    return root


def test_the_command_writes_it_at_any_time(tmp_path: Path) -> None:
    """Also while the sweep runs, at the root or elsewhere, with links that lead to the jobs; it says what was written."""
    root = started(tmp_path / "sweep")
    said = report(tmp_path).output
    assert said == f"{root / 'report.html'}: 3 jobs, best by the largest acc\n"
    page = (root / "report.html").read_text("utf-8")
    assert "It still runs." in page
    assert data_of(root / "report.html")["status"] == "CCR"
    elsewhere = tmp_path / "mail" / "r.html"
    said = report(
        root, "-o", elsewhere, "--metric", "loss", "--mode", "min", "--title", "T", "--plotly-js", "directory"
    ).output
    assert said == f"{elsewhere}: 3 jobs, best by the smallest loss\n"
    data = data_of(elsewhere)
    assert (data["links"], data["metrics"][0]["name"], data["metrics"][0]["mode"]) == ("../sweep/", "loss", "min")
    assert sorted(file.name for file in elsewhere.parent.iterdir()) == ["plotly.min.js", "r.html"]


def test_the_command_says_what_is_wrong(tmp_path: Path) -> None:
    """1 when there is nothing to show, with what there is; nothing is written then."""
    assert "No run recorded" in report(tmp_path, code=1).output
    root = started(tmp_path)
    assert "No completed job has a metric 'f1'. Metrics are: acc, loss." in report(root, "--metric", "f1", code=1).output
    assert not (root / "report.html").exists()
    empty = RunIdentity("20260101T000000000000-0000000b", tmp_path / "empty", "MULTIRUN")
    write_line(empty, "run_started", {"mode": "MULTIRUN"})
    assert "No job has started yet" in report(tmp_path / "empty", code=1).output
    (root / "file").touch()
    assert "cannot be written" in report(root, "-o", root / "file" / "r.html", code=1).output


def test_the_command_puts_several_sweeps_together(tmp_path: Path) -> None:
    """Where it is told to; links lead to each; a sweep that is named twice, by any path, or one run of many is refused."""
    one, two = started(tmp_path / "one"), started(tmp_path / "two")
    page = tmp_path / "both.html"
    assert report(one, two, "-o", page).output == f"{page}: 6 jobs, best by the largest acc\n"
    data = data_of(page)
    assert (data["links"][0], data["links"][-1], data["overrides"][0]["name"]) == ("one/0", "two/2", "sweep")
    assert "-o FILE" in report(one, two, code=2).output
    assert "--run is for one sweep" in report(one, two, "-o", page, "--run", "x", code=2).output
    assert "named twice" in report(one, tmp_path / "two" / ".." / "one", "-o", page, code=2).output
    assert not (one / "report.html").exists()
