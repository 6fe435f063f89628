"""`show` and `best` over seeds, and what the log, the files and Python say of the same sweep: all name the same setting."""

import json
import re
from pathlib import Path

import pytest
from apps import App
from terminal import cli

from hydra_callback_kit import load_run

CONFIG = """
defaults:
  - callbacks: [results_aggregator_callback]
  - _self_
lr: 0
seed: 0
hydra:
  callbacks:
    results_aggregator_callback: {{sort_by: accuracy, {settings}}}
"""
ACCURACY = """
found = {(1, 0): 0.99, (1, 1): 0.5, (1, 2): 0.61, (2, 0): 0.8, (2, 1): 0.82, (2, 2): 0.81, (3, 0): 0.9}
return {"accuracy": found[cfg.lr, cfg.seed], "size": 7}
"""
"""lr=1 has the best single job; lr=3 the best mean, of one seed, for the others failed; lr=2 is the best bet."""


@pytest.fixture
def swept(app: App) -> App:
    """A sweep of three settings and three seeds, two of which fail."""
    app.write(ACCURACY, CONFIG.format(settings="average_over: [seed], rank_by: lower_bound"))
    assert app.sweep("basic", "lr=1,2,3", "seed=0,1,2").code == 1
    return app


def test_all_name_the_same_setting(swept: App) -> None:
    """With its spread; the best single job is there as well."""
    done = swept.sweep("basic", "lr=1,2,3", "seed=0,1,2", "hydra.sweep.dir=again")
    out = swept.directory / "out"
    assert "Best settings by accuracy (max of the mean - standard error over seed):" in done.stdout
    assert re.search(
        r"\n\| 3 +\| 0.810 ± 0.006 +\| +0.804226 \| lr=2 +\|\n\| 3 +\| 0.70 ± 0.15 .*\n\| 1 of 3 \| 0.9 ", done.stdout
    )
    assert "The best single job is 0, with 0.99: lr=1 seed=0" in done.stdout
    best = json.loads((out / "best.json").read_text("utf-8"))
    assert best["setting"]["overrides"] == {"lr": 2}
    assert (best["setting"]["figures"]["count"], best["job"]["job_num"]) == (3, 0)
    shown = cli("show", "out", cwd=swept.directory).out
    assert "best       lr=2, with accuracy 0.810 ± 0.006 (max of the mean - standard error" in shown
    said = cli("best", "out", cwd=swept.directory).out
    assert said.startswith("best setting: lr=2\n")
    assert "accuracy  0.810 ± 0.006 (mean ± standard error of 3 jobs; 0.8 to 0.82)" in said
    assert "best single job 0: lr=1 seed=0\n" in said
    assert "best by accuracy (max of the mean - standard error over seed)\n" in cli("report", "out", cwd=swept.directory).err
    tiles = " ".join(re.sub(r"<[^>]+>", " ", (out / "report.html").read_text("utf-8").partition('class="tiles"')[2]).split())
    assert "Best setting accuracy (max of the mean - standard error over seed) 0.810 ± 0.006 lr=2 mean ±" in tiles
    assert "mean ± standard error of 3 jobs; 0.8 to 0.82 Best single job largest accuracy 0.99 job 0 lr=1 seed=0" in tiles
    run = load_run(out)
    assert run.best_setting("accuracy").overrides == {"lr": 2}
    assert run.best_setting("accuracy", rank_by="mean").overrides == {"lr": 3}
    assert [len(setting.failed) for setting in run.settings()] == [0, 0, 2]
    told = json.loads(cli("best", "out", "--json", cwd=swept.directory).out)
    assert (told["setting"]["jobs"], told["job_num"]) == ([3, 4, 5], 0)


def test_the_table_of_settings(swept: App) -> None:
    """Sorted as it is asked, with a mark at the one of which seeds failed."""
    lines = cli("show", "out", "--average-over", "seed", "--rank-by", "mean", cwd=swept.directory).out.splitlines()
    table = lines[lines.index("") + 1 :]
    assert table == [
        " seeds  failed  lr  accuracy       size",
        "1 of 3       2  3   0.9            7",
        "     3          2   0.810 ± 0.006  7 ± 0",
        "     3          1   0.70 ± 0.15    7 ± 0",
        "mean ± standard error, sorted by accuracy: max of the mean over seed",
    ]
    told = json.loads(cli("show", "out", "--average-over", "seed", "--json", cwd=swept.directory).out)
    assert [each["overrides"]["lr"] for each in told["settings"]] == [2, 1, 3]
    assert len(told["jobs"]) == 9


def test_where_nothing_was_asked_for(app: App) -> None:
    """`--average-over` is enough; a metric is named where there are several."""
    app.write(ACCURACY, CONFIG.format(settings="").replace("sort_by: accuracy, ", ""))
    app.sweep("basic", "lr=1,2", "seed=0,1")
    assert "best" not in cli("show", "out", cwd=app.directory).out
    assert "sorted by" not in cli("show", "out", "--average-over", "seed", cwd=app.directory).out
    assert "Say --sort-by METRIC" in cli("best", "out", "--average-over", "seed", cwd=app.directory).err
    asked = ("--average-over", "seed", "--sort-by", "accuracy", "--mode", "min")
    assert cli("best", "out", *asked, cwd=app.directory).out.startswith("best setting: lr=1\n")
    with pytest.raises(ValueError, match="Write for example over="):
        load_run(app.directory / "out").settings()
    assert len(load_run(app.directory / "out").settings(["seed"])) == 2


def test_what_is_mistyped(swept: App) -> None:
    """The nearest is named, and nothing else is said."""
    for command in ("show", "best"):
        done = cli(command, "out", "--average-over", "sead", cwd=swept.directory)
        assert (done.code, done.out) == (2, "")
        assert "--average-over names 'sead', which no job was given. Did you mean seed? Overrides are: lr, seed." in done.err
    assert (
        "Did you mean accuracy?"
        in cli("show", "out", "--average-over", "seed", "--sort-by", "acuracy", cwd=swept.directory).err
    )
    run = load_run(swept.directory / "out")
    with pytest.raises(ValueError, match=r"over names 'sead'.*Did you mean seed"):
        run.settings(["sead"])
    with pytest.raises(ValueError, match=r"Write over=\['seed'\]"):
        run.settings("seed")
    with pytest.raises(ValueError, match="allowed is mean, median"):
        run.best_setting("accuracy", rank_by="best")  # type: ignore[arg-type]  # what a user may type
    with pytest.raises(LookupError, match="Did you mean accuracy"):
        run.best_setting("acuracy")
    done = swept.run("-m", "lr=1", "hydra.callbacks.results_aggregator_callback.rank_by=lower")
    assert "Write rank_by=lower_bound." in done.stderr


def test_a_record_of_anybodys(swept: App, tmp_path: Path) -> None:
    """What is on record in another form than ours ranks nothing, and ends no command."""
    (journal,) = (tmp_path / "out" / ".callbacks").glob("*.jsonl")
    text = journal.read_text("utf-8")
    ours = '"ranking":{"metric":"accuracy","mode":null,"average_over":["seed"],"rank_by":"lower_bound"}'
    assert ours in text
    for theirs in ("3", "{}", '{"metric":[],"mode":"up","average_over":"seed","rank_by":{}}', '{"average_over":[1,null]}'):
        journal.write_text(text.replace(ours, f'"ranking":{theirs}'), "utf-8")
        assert cli("show", "out", cwd=tmp_path).code == 0
        assert load_run(tmp_path / "out").count("COMPLETED") == 7


SECRETS = """
import os, signal
if (cfg.x, cfg.seed) == (2, 2) and not os.path.exists("again"):
    os.kill(os.getpid(), signal.SIGKILL)
return cfg.x + cfg.seed / 10
"""
OF_SECRETS = CONFIG.format(settings="average_over: [seed]").replace("accuracy", "return_value")
OF_SECRETS = OF_SECRETS.replace("callback]", "callback, resume_callback]") + "x: 1\nurl: a\ndb: {password: none}\n"


@pytest.mark.parametrize(
    ("given", "seeds", "jobs"),
    [
        ("x=1,3 db.password=correct-horse", "1,2,3", [3, 3]),
        ("x=1,3 db.password=correct-horse", "3,4", [4, 4]),
        ("x=1,3 url='postgres://me:correct-horse@host'", "1,2,3", [3, 3]),
        ("db.password=correct-horse,battery-staple", "1,2,3", [3, 3]),
        ("db.password=correct-horse,battery-staple", "3,4", [2, 2, 2, 2]),  # nobody knows which of them is which
    ],
)
def test_a_sweep_with_a_secret_goes_on(app: App, given: str, seeds: str, jobs: list[int]) -> None:
    """Another process makes other numbers of a secret; the settings stay those that they were, in the log as well."""
    app.write(SECRETS, OF_SECRETS)
    assert app.sweep("basic", "seed=1,2", *given.split()).code == 0
    done = app.sweep("basic", f"seed={seeds}", *given.split())
    assert done.code == 0, done.stderr
    settings = load_run(app.directory / "out").settings()
    assert [len(setting.jobs) for setting in settings] == jobs
    said = set(re.findall(r"<redacted [0-9]+>", done.stdout.partition("Best settings")[2]))
    on_record = " ".join(override for setting in settings for override in setting.task_overrides)
    assert said <= set(re.findall(r"<redacted [0-9]+>", on_record))
    assert "correct-horse" not in "".join(file.read_text("utf-8") for file in done.root.glob(".callbacks/*"))


def test_a_job_of_a_sweep_with_a_secret_is_started_later(app: App) -> None:
    """`rerun` is a process of its own, and is given the secret again."""
    app.write(SECRETS, OF_SECRETS)
    app.sweep("basic", "x=1,2", "seed=1,2,3", "db.password=correct-horse")
    (app.directory / "again").touch()
    what = ("--interrupted", "--missing", "--execute")
    done = cli("rerun", "out", *what, "db.password=correct-horse", cwd=app.directory)
    settings = load_run(app.directory / "out").settings()
    assert [len(setting.completed) for setting in settings] == [3, 3], done.err
