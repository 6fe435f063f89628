"""Sweeps whose jobs' configs are composed once: the jobs, their files and Hydra's errors are as without it."""

import re
from pathlib import Path

import pytest
from apps import LAUNCHERS, MOST_LAUNCHERS, App, Finished

CONFIG = """
defaults:
  - callbacks: [compose_once_callback]
  - db: mysql
  - optional model: small
  - shape: typed
  - _self_
x: 0
lr: 0.1
listed: [1, "${x}"]
gone: 1
at: ${now:%f}
hydra:
  job: {env_set: {OF_THE_JOB: "${hydra.job.name}"}, env_copy: [COPIED]}
  sweep: {subdir: "${hydra.job.num}_${hydra.job.override_dirname}"}
"""
SHAPES = """
import dataclasses, enum, json
from hydra.core.config_store import ConfigStore
from hydra_callback_kit import ComposeOnceCallback

class Colour(enum.Enum):
    RED = 1
    BLUE = 2

@dataclasses.dataclass
class Shape:
    colour: Colour = Colour.RED
    sides: dict[str, int] = dataclasses.field(default_factory=lambda: {"a": 1})

ConfigStore.instance().store(group="shape", name="typed", node=Shape)

if os.environ.get("BARE"):
    ComposeOnceCallback.on_multirun_start = lambda *args, **kwargs: None
"""
SHOWS = """
from omegaconf import OmegaConf
from hydra.core.hydra_config import HydraConfig
assert OmegaConf.get_type(cfg.shape) is Shape and cfg.shape.colour in Colour, OmegaConf.get_type(cfg.shape)
assert OmegaConf.is_struct(cfg) and "deepcopy" not in "".join(vars(cfg))
print("JOB", json.dumps([HydraConfig.get().job.num, cfg.at, os.environ["OF_THE_JOB"], OmegaConf.to_yaml(cfg, resolve=True)]))
return cfg.x
"""
JOBS = ("x=1,2", "db=mysql,pg", "model=large", "+extra={a: [1]}", "shape.colour=BLUE", "~gone=1")


def write(app: App, config: str = CONFIG, body: str = SHOWS, preamble: str = SHAPES) -> None:
    """Writes an app with groups, a structured config of its own and values that only the job knows."""
    app.write(body, config, preamble)
    for name, text in {
        "db/mysql": "port: 3306",
        "db/pg": "port: 5432",
        "model/large": "depth: ${x}",
        "model/small": "{}",
    }.items():
        path = app.directory / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text + "\n", "utf-8")


def seen(done: Finished) -> dict[str, str]:
    """What the jobs' files say, but for what is another in each sweep."""
    files = {}
    for path in sorted(done.root.rglob("*.yaml")):
        text = re.sub(r"(?m)^    id: .*$", "", path.read_text("utf-8"))
        files[str(path.relative_to(done.root))] = text
    return files


def bare_and_ours(app: App, launcher: str, *arguments: str) -> tuple[Finished, dict[str, str], Finished, dict[str, str]]:
    """The same sweep in the same directory, without and with composing once."""
    bare = app.sweep(launcher, *arguments, BARE="1", COPIED="there")
    of_bare = seen(bare)
    if bare.root.exists():
        bare.root.rename(bare.root.with_name("bare"))
    ours = app.sweep(launcher, *arguments, COPIED="there")
    return bare, of_bare, ours, seen(ours)


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_the_jobs_and_their_files_are_as_without_it(app: App, launcher: str) -> None:
    """Byte for byte, where the classes of a structured config are the app script's own too."""
    write(app)
    bare, of_bare, ours, of_ours = bare_and_ours(app, launcher, *JOBS)
    assert (bare.code, ours.code) == (0, 0), bare.stderr + ours.stderr
    assert "Composed the configs of 4 jobs from 2 combinations" in ours.stdout
    assert "Hydra itself" not in ours.stdout
    assert len(of_ours) == 4 * 3 + 1
    assert of_ours == of_bare
    printed = [re.sub(r"\b\d{6}\b", "", line) for line in sorted((bare.stdout + ours.stdout).splitlines()) if "JOB" in line]
    if launcher == "basic":
        assert len(printed) == 8
        assert printed[::2] == printed[1::2]


EDITS = """
from pathlib import Path
from hydra_callback_kit import RecordingCallback
from hydra_callback_kit.launching.in_place import put_in_place
from hydra_callback_kit.launching.policy import Policy

class Edits(Policy):
    place = 99

    def handed_over(self, batch):
        for file in ("config.yaml", "db/mysql.yaml", "db/pg.yaml"):
            text = Path(file).read_text()
            Path(file).write_text(text.replace("lr: 0.1", "lr: 7.7").replace("port: ", "port: 7"))
        return batch

class Editor(RecordingCallback):
    def on_multirun_start(self, config, **kwargs):
        put_in_place(config, Edits())
"""
EDITOR = CONFIG + "  callbacks: {editor: {_target_: __main__.Editor}}\n"


@pytest.mark.parametrize("launcher", MOST_LAUNCHERS)
@pytest.mark.parametrize("arguments", [("db=mysql,pg", "x=3"), ()], ids=["groups", "no overrides"])
def test_an_edit_during_the_sweep_reaches_no_job(app: App, launcher: str, arguments: tuple[str, ...]) -> None:
    """As it does without the callback."""
    returns = 'return f"{cfg.lr} {cfg.db.port}"'
    write(app, EDITOR, returns, SHAPES + EDITS)
    done = app.sweep(launcher, *arguments, COPIED="there")
    assert done.code == 0, done.stderr
    assert "did not reach" not in done.stdout
    values = {str(job["return_value"]) for job in _jobs(done)}
    assert values == ({"0.1 3306", "0.1 5432"} if arguments else {"0.1 3306"})
    write(app, EDITOR, returns, SHAPES + EDITS)
    done = app.sweep(launcher, *arguments, "hydra.sweep.dir=bare", COPIED="there", BARE="1")
    assert done.code == 0, done.stderr
    assert {str(job["return_value"]) for job in _jobs(done, "bare")} == (
        {"7.7 73306", "7.7 75432"} if arguments else {"7.7 73306"}
    )


def _jobs(done: Finished, name: str = "out") -> list[dict[str, object]]:
    from hydra_callback_kit import load_run  # noqa: PLC0415

    return [{"return_value": job.return_value} for job in load_run(done.directory / name).jobs]


@pytest.mark.parametrize(
    "arguments",
    [
        ("x=1,2", "nope=1"),
        ("db=mysql,none",),
        ("x=1", "+x=2,3"),
        ("shape.colour=GREEN,BLUE",),
        ("x='a,b'", "lr=1", "hydra.sweeper.max_batch_size=1", "~nope"),
        ("x=1,2", "hydra.sweeper.params={db: none}"),
    ],
)
def test_what_hydra_says_of_a_sweep_that_cannot_be_composed_is_the_same(app: App, arguments: tuple[str, ...]) -> None:
    """Its message, its exit code, and how many jobs ran before."""
    write(app)
    bare, of_bare, ours, of_ours = bare_and_ours(app, "basic", *arguments)
    assert bare.code == ours.code == 1
    assert ours.stderr == bare.stderr
    assert of_ours == of_bare


BROKEN = """
from hydra_callback_kit.configs import composed_job

setting = composed_job.set_values

def sets_another(overrides, config):
    setting(overrides, config)
    if config.db.port == 5432 and config.x == 2:
        config.lr = 9

for module in (composed_job, __import__("hydra_callback_kit.configs.job_configs", fromlist=["set_values"])):
    module.set_values = sets_another
"""


def test_each_config_can_be_checked_against_hydras(app: App) -> None:
    """A difference names the key, and the job gets Hydra's config."""
    write(app, body="return cfg.lr", preamble=SHAPES + BROKEN)
    ours = app.sweep("basic", "x=1,2", "db=mysql,pg", "hydra.callbacks.compose_once_callback.check=true", COPIED="1")
    assert ours.code == 0, ours.stderr
    assert "The config of the job x=2 db=pg is Hydra's: what was composed once differs from it in lr: " in ours.stdout
    assert "and compared each with what Hydra composes" in ours.stdout
    assert [job["return_value"] for job in _jobs(ours)] == [0.1] * 4


COUNTS = """
from hydra._internal.config_loader_impl import ConfigLoaderImpl
load = ConfigLoaderImpl.load_sweep_config

def counted(self, *args):
    with open("composed", "a") as file:
        file.write(".")
    return load(self, *args)

ConfigLoaderImpl.load_sweep_config = counted
"""


@pytest.mark.parametrize("more", [(), ("check=true",)], ids=["", "checked"])
def test_who_looks_at_the_jobs_before_they_start_looks_at_the_same_configs(app: App, more: tuple[str, ...]) -> None:
    """Validation, resuming and composing once let Hydra compose what the jobs share once; checking compares each as well."""
    on = "[validation_callback, resume_callback, compose_once_callback]"
    write(app, CONFIG.replace("[compose_once_callback]", on), "return cfg.lr", SHAPES + COUNTS)
    done = app.sweep("basic", "x=1,2", *(f"hydra.callbacks.compose_once_callback.{each}" for each in more), COPIED="1")
    assert done.code == 0, done.stderr
    assert (app.directory / "composed").read_text() == ("...." if more else ".")


CHANGES = """
class Changes(RecordingCallback):
    def on_job_end(self, config, **kwargs):
        os.environ["COPIED"] = f"set by {config.x}"
        os.makedirs(str(config.x), exist_ok=True)
        os.chdir(str(config.x))
"""


def test_variables_and_directory_are_those_of_the_process_that_the_job_runs_in(app: App) -> None:
    """`env_copy` and `hydra.runtime.cwd` are read as the job starts: here the job before has changed them."""
    body = """
    from hydra.core.hydra_config import HydraConfig
    return f"{HydraConfig.get().runtime.cwd} {HydraConfig.get().job.env_set.COPIED}"
    """
    write(app, CONFIG + "  callbacks: {changes: {_target_: __main__.Changes}}\n", body, SHAPES + EDITS + CHANGES)
    bare, ours = (
        app.sweep(
            "basic", "x=1,2,3", f"hydra.sweep.dir={app.directory / name}", COPIED="first", BARE=name.removeprefix("out")
        )
        for name in ("bare", "out")
    )
    assert (bare.code, ours.code) == (0, 0), ours.stderr
    values = [job["return_value"] for job in _jobs(ours)]
    assert values == [f"{app.directory}{'/1/2'[: 2 * num]} {('first', 'set by 1', 'set by 2')[num]}" for num in range(3)]
    assert values == [job["return_value"] for job in _jobs(ours, "bare")]


LOSES = """
import copy, pickle

class Loses(Policy):
    place = 98

    def context_of_jobs(self, context):
        context = copy.copy(context)
        context.config_loader = pickle.loads(pickle.dumps(context.config_loader))
        return context

    def handed_over(self, batch):
        return {num: [f"{override}" for override in overrides] for num, overrides in batch.items()}

class Editor(Editor):
    def on_multirun_start(self, config, **kwargs):
        put_in_place(config, Loses())
        put_in_place(config, Edits())
"""


def test_a_launcher_that_passes_on_the_texts_alone_lets_hydra_compose(app: App) -> None:
    """With a word about it."""
    write(app, EDITOR, 'return f"{cfg.lr} {cfg.db.port}"', SHAPES + EDITS + LOSES)
    done = app.sweep("basic", "x=1,2", COPIED="1")
    assert done.code == 0, done.stderr
    assert "what was composed when the sweep started did not reach this process" in done.stdout
    assert {job["return_value"] for job in _jobs(done)} == {"7.7 73306"}


@pytest.mark.optuna
def test_a_sweeper_that_chooses_as_it_goes(app: App) -> None:
    """Each combination of groups is composed once, at first need."""
    write(app, body="return cfg.x + cfg.db.port")
    arguments = (
        "hydra/sweeper=optuna",
        "hydra.sweeper.n_trials=6",
        "hydra.sweeper.n_jobs=2",
        "hydra.sweeper.sampler.seed=1",
    )
    bare, of_bare, ours, of_ours = bare_and_ours(app, "basic", *arguments, "x=interval(0,1)", "db=mysql,pg")
    assert (bare.code, ours.code) == (0, 0), ours.stderr
    assert "composed at first need" in ours.stdout
    assert of_ours == of_bare
    assert Path(ours.root, "optimization_results.yaml").exists()
