"""`show` and `best` over seeds, and what the log, the files and Python say of the same sweep: all name the same setting."""

import json
import re
import shutil
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


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> App:
    """A sweep of three settings and three seeds, two of which fail; it is only read."""
    app = App(tmp_path_factory.mktemp("swept"))
    app.write(ACCURACY, CONFIG.format(settings="average_over: [seed], rank_by: lower_bound"))
    assert app.sweep("basic", "lr=1,2,3", "seed=0,1,2").code == 1
    return app


@pytest.fixture(scope="module")
def unranked(tmp_path_factory: pytest.TempPathFactory) -> App:
    """A sweep that has asked for nothing; it is only read."""
    app = App(tmp_path_factory.mktemp("unranked"))
    app.write(ACCURACY, CONFIG.format(settings="").replace("sort_by: accuracy, ", ""))
    assert app.sweep("basic", "lr=1,2", "seed=0,1").code == 0
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
    assert "accuracy  0.810 ± 0.006 (mean ± standard error of 3 seeds; 0.8 to 0.82)" in said
    assert "best single job 0: lr=1 seed=0\n" in said
    assert "best by accuracy (max of the mean - standard error over seed)\n" in cli("report", "out", cwd=swept.directory).err
    tiles = " ".join(re.sub(r"<[^>]+>", " ", (out / "report.html").read_text("utf-8").partition('class="tiles"')[2]).split())
    assert "Best setting accuracy (max of the mean - standard error over seed) 0.810 ± 0.006 lr=2 mean ±" in tiles
    assert "mean ± standard error of 3 seeds; 0.8 to 0.82 Best single job largest accuracy 0.99 job 0 lr=1 seed=0" in tiles
    asked = ("table", "out", "--rows", "lr", "--metric", "accuracy", "-o", "settings.tex")
    assert cli(*asked, cwd=swept.directory).code == 0
    bold = [line for line in (swept.directory / "settings.tex").read_text("utf-8").splitlines() if "mathbf" in line]
    assert [re.sub(r"\s+", " ", line) for line in bold] == [r"2 & $\mathbf{0.810 \pm 0.006}$ \\"]
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


def test_where_nothing_was_asked_for(unranked: App) -> None:
    """`--average-over` is enough; a metric is named where there are several."""
    app = unranked
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
    for asked in (["--average-over", "sead"], ["--metric", "acuracy"]):
        done = cli("report", "out", *asked, cwd=swept.directory)
        assert (done.code > 0, done.out) == (True, "")
        assert f"Did you mean {'seed' if 'sead' in asked else 'accuracy'}?" in done.err
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
    shutil.copytree(swept.directory / "out", tmp_path / "out")
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


REPORTED = """
hydra_callback_kit.report_metrics({"val/acc": cfg.lr + 1, "fold": cfg.seed}, step=0)
hydra_callback_kit.report_metrics({"val/acc": cfg.lr, "fold": cfg.seed}, step=1)
if cfg.lr == 1 and cfg.seed == 3:
    return {"other": 1.5}
return {"accuracy": cfg.lr - 1 + cfg.seed / 100, "other": 1.0}
"""


def test_seeds_are_those_that_a_mean_rests_on(app: App) -> None:
    """One whose job has no such number does not count, one that is given twice counts once; all say the same."""
    app.write(REPORTED, CONFIG.format(settings="average_over: [seed]"), "import hydra_callback_kit")
    done = app.sweep("basic", "lr=1,2,2.0", "seed=1,2,3,3")
    assert re.search(r"\n\| 2 of 3 +\| 0.015 ± 0.005 ", done.stdout)
    shown = cli("show", "out", "--average-over", "seed", cwd=app.directory).out
    assert re.search(r"\n3 \(4 jobs\)  2  .*\n *3 \(4 jobs\)  2.0  .*\n *2 of 3  1 ", shown), (
        "1 and 2.0 are two, as the app gets them"
    )
    sorted_by = cli("show", "out", "--average-over", "seed", "--sort-by", "other", cwd=app.directory).out
    assert "(2 seeds)" in sorted_by, "a mean of fewer than the column of seeds says is marked"
    assert "of 2 of 3 seeds (min of" in cli("show", "out", "--mode", "min", cwd=app.directory).out


def test_a_metric_that_has_no_column_gets_one(app: App) -> None:
    """`show` sorts by what `metric_of` takes, for jobs and settings, and `table` takes the same."""
    app.write(
        REPORTED,
        CONFIG.format(settings="average_over: [seed]").replace("accuracy", "val/acc.max"),
        "import hydra_callback_kit",
    )
    assert app.sweep("basic", "lr=1,2", "seed=1,2").code == 0
    for asked in ([], ["--average-over", "seed"]):
        shown = cli("show", "out", "--sort-by", "val/acc.max", *asked, cwd=app.directory).out
        assert "val/acc.max  " in shown.partition("\n\n")[2]
    assert "| 2   | **3 ± 0**   |" in cli("table", "out", "--rows", "lr", cwd=app.directory).out
    for name in ("metrics.val/acc", "return_value.other", "metrics.val/acc.min"):
        assert cli("table", "out", "--rows", "lr", "--metric", name, cwd=app.directory).code == 0


def test_the_mode_on_record_counts_everywhere(app: App) -> None:
    """In Python as well; what is asked for now counts before it, in the head of `show` too."""
    app.write(ACCURACY, CONFIG.format(settings="average_over: [seed], mode: min"))
    assert app.sweep("basic", "lr=1,2", "seed=0,1,2").code == 0
    run = load_run(app.directory / "out")
    assert run.best_setting("accuracy").overrides == {"lr": 1}
    assert run.best("accuracy").job_num == 1
    assert run.best_setting("accuracy", mode="max").overrides == {"lr": 2}
    shown = cli("show", "out", "--average-over", "seed", "--mode", "max", cwd=app.directory).out
    assert "best       lr=2, with accuracy 0.810 ± 0.006 (max of the mean over seed)\n" in shown
    assert "best       lr=2, with" in cli("show", "out", "--mode", "max", cwd=app.directory).out
    assert "max of the median over seed" in cli("show", "out", "--mode", "max", "--rank-by", "median", cwd=app.directory).out


def test_what_is_on_record_to_average_over_and_no_job_was_given(app: App) -> None:
    """Each job is a setting, to Python as to all others."""
    app.write("return {'accuracy': cfg.lr}", CONFIG.format(settings="average_over: [seed]"))
    assert app.sweep("basic", "lr=1,2").code == 0
    assert load_run(app.directory / "out").best_setting("accuracy").overrides == {"lr": 2}
    assert "accuracy  2 (of 1 seed)" in cli("best", "out", cwd=app.directory).out


def test_a_sweep_of_which_nothing_is_known_yet(app: App) -> None:
    """All failed: they are marked. None has started: nothing is refused."""
    app.write("raise ValueError", CONFIG.format(settings="average_over: [seed]"))
    app.sweep("basic", "lr=1,2", "seed=1,2")
    shown = cli("show", "out", "--average-over", "seed", cwd=app.directory)
    assert (shown.code, shown.out.count("0 of 2       2")) == (0, 2)
    assert len(json.loads(cli("show", "out", "--average-over", "seed", "--json", cwd=app.directory).out)["settings"]) == 2
    (journal,) = (app.directory / "out" / ".callbacks").glob("*.jsonl")
    lines = journal.read_text("utf-8").splitlines(keepends=True)
    journal.write_text("".join(line for line in lines if '"job":' not in line), "utf-8")
    shown = cli("show", "out", "--average-over", "seed", cwd=app.directory)
    assert (shown.code, shown.err) == (0, "")
    assert load_run(app.directory / "out").settings(["seed"]) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            "show out --average-over seed --failed",
            "--failed lists jobs, and --average-over shows settings of all: leave one out",
        ),
        (
            "show out --average-over seed --status completed",
            "--status chooses jobs, and --average-over shows settings of all",
        ),
        ("show out --average-over seed --since 2h", "--since chooses jobs, and --average-over shows settings of all"),
        (
            "show out --average-over seed --ranks",
            "--ranks lists jobs, and --average-over shows settings of all: leave one out",
        ),
        ("show out --mode min", "Say of which metric: --sort-by METRIC."),
        ("show out --rank-by median", "Say what to average over, such as --average-over seed."),
        ("best out --rank-by median", "Say what to average over, such as --average-over seed."),
        ("table out --rows lr --rows seed --average-over seed", "seed is averaged over, and has no values left"),
    ],
)
def test_options_that_would_do_nothing(unranked: App, arguments: str, said: str) -> None:
    """Are refused, with what to type instead."""
    done = cli(*arguments.split(), cwd=unranked.directory)
    assert (done.code, done.out) == (2, "")
    assert said in " ".join(done.err.split())


def test_no_setting_can_be_ranked(app: App) -> None:
    """Of one seed nobody knows the error: it is said, in the log, by `best`, and in `best.json`."""
    app.write(ACCURACY, CONFIG.format(settings="average_over: [seed], rank_by: lower_bound"))
    done = app.sweep("basic", "lr=1,2", "seed=0")
    why = "no setting has accuracy of two seeds, which lower_bound needs"
    assert f"No setting is the best: {why}" in done.stdout
    assert json.loads((app.directory / "out" / "best.json").read_text("utf-8"))["no_setting"].startswith(why)
    said = cli("best", "out", cwd=app.directory).out
    assert said.startswith(f"best setting: none: {why}")
    assert "best single job 0: lr=1 seed=0" in said
    assert json.loads(cli("best", "out", "--json", cwd=app.directory).out)["setting"] is None
    table = ("table", "out", "--rows", "seed", "--columns", "lr", "--rank-by", "max")
    assert "| 0    | **0.99** | **0.8** |" in cli(*table, cwd=app.directory).out, "seed is on record to be averaged over"


def test_where_compares_the_mean_of_a_setting(swept: App) -> None:
    """And not its seeds: a mean of those alone that did well is the mean of nothing. Overrides choose jobs."""

    def shown(*asked: str) -> list[tuple[object, int]]:
        said = cli("show", "out", "--average-over", "seed", *asked, "--json", cwd=swept.directory).out
        settings = json.loads(said)["settings"]
        return [(each["overrides"]["lr"], each["figures"]["count"]) for each in settings]

    assert shown("--where", "accuracy>0.75") == [(2, 3)], "of lr=3 lower_bound knows nothing"
    assert shown("--where", "accuracy>0.75", "--rank-by", "mean") == [(3, 1), (2, 3)]
    assert shown("--where", "accuracy>0.98", "--rank-by", "max") == [(1, 3)]
    assert shown("--where", "accuracy>0", "--where", "seed!=0") == [(2, 2), (1, 2)]
    table = cli("show", "out", "--average-over", "seed", "--where", "accuracy>0.75", cwd=swept.directory).out
    assert "0.810 ± 0.006" in table
    assert "0.70 ± 0.15" not in table
    none = cli("show", "out", "--average-over", "seed", "--where", "accuracy>0.98", cwd=swept.directory)
    assert none.code == 1
    assert "No setting has accuracy>0.98 by its lower bound over seed: none of 3" in none.err
    unknown = cli("show", "out", "--average-over", "seed", "--where", "acuracy>0.98", cwd=swept.directory)
    assert "Did you mean accuracy?" in unknown.err
