"""Who is measured: bare Hydra, this package in all its configurations, and the peer doing what it can of the same."""

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness import environment, write_app

from hydra_plugins.hydra_callback_kit.config import OPTIONS, SETS

PROJECT = Path(__file__).resolve().parent.parent
PEER = "hydra-callbacks 0.6.1"
FIRST = (
    "conditional_callback",
    "failure_limit_callback",
    "latest_run_callback",
    "logging_callback",
    "output_guard_callback",
    "performance_callback",
    "progress_callback",
    "provenance_callback",
    "redaction_callback",
    "report_callback",
    "resource_monitor_callback",
    "results_aggregator_callback",
    "thread_safe_callback",
    "validation_callback",
)
"""The callbacks that there were first, but `dry_run_callback`. What came later has bounds of its own."""

_NEEDED = {
    "conditional_callback": {"condition_key": "x"},
    "device_callback": {"devices": list(range(4)), "variable": "DEVICE_OF_THE_JOB"},
    "keep_best_callback": {"metric": "return_value", "mode": "max"},
    "time_limit_callback": {"job_s": 3600.0},
    "upload_callback": {"to": "copies"},
    "validation_callback": {"required_keys": ["x"]},
    # every run has a directory of its own here, but for the second that it takes to have another name
    "output_guard_callback": {"policy": "warn"},
}
_NOTHING = tuple(f"nothing_{place}" for place in range(len(FIRST)))
"""Options whose callbacks do nothing: what any callbacks of a defaults list cost."""

_STOPS = ("detach_callback", "dry_run_callback")
_NEEDS_MORE = ("mlflow_callback", "wandb_callback")  # trackers
_COMPOSES = "compose_once_callback"  # with it the others cost another share of another sweep
_OF_THE_PEER = {
    "git": {"_target_": "hydra_callbacks.GitInfo"},
    "latest": {"_target_": "hydra_callbacks.LatestRunLink"},
    "runtime": {"_target_": "hydra_callbacks.RuntimePerformance"},
    "register": {"_target_": "hydra_callbacks.RegisterRunCallback", "multirun_base_dir": "multirun"},
}


@dataclass(frozen=True)
class Contender:
    """A way to run the app.

    Attributes:
        name: what the table calls it.
        python: the interpreter of its environment.
        chosen: the options that its config lists.
        nodes: what its config has at `hydra.callbacks`.
    """

    name: str
    python: str
    chosen: tuple[str, ...] = ()
    nodes: dict[str, Any] = field(default_factory=dict)

    def command(self, *arguments: str) -> list[str]:
        """The command that runs the app."""
        return [self.python, "app.py", "--config-name", self.config_name, *arguments]

    def write_config(self, directory: Path) -> None:
        """Writes the app's config with this contender's callbacks, as people would, beside `config.yaml`."""
        defaults = ["defaults:", f"  - callbacks: [{', '.join(self.chosen)}]", "  - _self_"] if self.chosen else []
        hydra = [f"hydra: {json.dumps({'callbacks': self.nodes})}"] if self.nodes else []
        text = "\n".join([*defaults, (directory / "config.yaml").read_text("utf-8"), *hydra])
        (directory / f"{self.config_name}.yaml").write_text(text, "utf-8")

    @property
    def config_name(self) -> str:
        """The name of its config, which has only letters, digits and underscores."""
        return "".join(character if character.isalnum() else "_" for character in f"with {self.name}")


class Contenders:
    """Environments for all of them, made below a directory.

    Args:
        directory: where the environments go; it must not hold any yet.
        extras: extras of this package that are installed.
        also: more packages in all environments, such as a launcher.
    """

    def __init__(self, directory: Path, extras: str = "all", also: tuple[str, ...] = ()) -> None:
        also = (*also, "attrs")  # OmegaConf imports it where it is installed, and jsonschema, one of the extras, needs it
        ours = environment(directory / "ours", f"{PROJECT}[{extras}]", *also)
        options = tuple(option for option in OPTIONS if option not in (*_STOPS, *_NEEDS_MORE))
        self.bare = Contender("bare Hydra", environment(directory / "bare", *also))
        self.idle = Contender("without this package, one callback that does nothing", self.bare.python, _NOTHING[:1])
        self.all_idle = Contender(f"without this package, {len(_NOTHING)} that do nothing", self.bare.python, _NOTHING)
        self.installed = Contender("installed, not used", ours)
        self.both = _ours(ours, "logging and performance", ("logging_callback", "performance_callback"))
        self.alone = [_ours(ours, option, (option,)) for option in sorted(options, key=lambda each: each not in FIRST)]
        self.standard = _ours(ours, "standard_callbacks", ("standard_callbacks",))
        self.five = _ours(ours, "standard_callbacks, listed one by one", SETS["standard_callbacks"])
        self.first = _ours(ours, "the first fourteen", FIRST)
        self.once = _ours(
            ours, "standard_callbacks and compose_once_callback", ("standard_callbacks", "compose_once_callback")
        )
        self.resuming_standard = _ours(
            ours, "standard_callbacks and resume_callback", ("standard_callbacks", "resume_callback")
        )
        self.resuming_once = _ours(
            ours, "resume_callback and compose_once_callback", ("resume_callback", "compose_once_callback")
        )
        self.everything = _ours(ours, "everything", tuple(option for option in options if option != _COMPOSES))
        self.everything_once = _ours(ours, f"everything and {_COMPOSES}", options)
        self.peer = Contender(PEER, environment(directory / "peer", PEER.replace(" ", "=="), *also), nodes=_OF_THE_PEER)

    def write_app(self, directory: Path, keys: int = 50, preamble: str = "") -> None:
        """Writes the app and a config for each contender into a git repository, all of it committed."""
        write_app(directory, keys=keys, preamble=preamble)
        (directory / "callbacks").mkdir()
        for option in _NOTHING:
            text = f"# @package _global_.hydra.callbacks.{option}\n_target_: hydra.experimental.callback.Callback\n"
            (directory / "callbacks" / f"{option}.yaml").write_text(text, "utf-8")
        sets = (self.both, self.standard, self.five, self.once, self.first, self.everything, self.everything_once)
        for contender in (
            self.bare,
            self.idle,
            self.all_idle,
            self.installed,
            *sets,
            self.peer,
            *self.alone,
            self.resuming_standard,
            self.resuming_once,
        ):
            contender.write_config(directory)
        (directory / ".gitignore").write_text("outputs/\nmultirun/\ncopies/\nhooks_s\n", "utf-8")
        identity = ["-c", "user.name=benchmark", "-c", "user.email=benchmark@example.org"]
        for words in (["init", "-q"], ["add", "."], [*identity, "commit", "-q", "-m", "The app"]):
            subprocess.run(["git", *words], cwd=directory, check=True)  # noqa: S607  the git of the machine


def _ours(python: str, name: str, options: tuple[str, ...]) -> Contender:
    return Contender(name, python, options, {option: _NEEDED[option] for option in options if option in _NEEDED})
