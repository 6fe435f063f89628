"""Who is measured: bare Hydra, this package in all its configurations, and the peer doing what it can of the same."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from harness import environment, write_app

from hydra_plugins.hydra_callback_kit.config import OPTIONS

PROJECT = Path(__file__).resolve().parent.parent
PEER = "hydra-callbacks 0.6.1"

_NEEDED = {
    "conditional_callback": ("hydra.callbacks.conditional_callback.condition_key=x",),
    "validation_callback": ("hydra.callbacks.validation_callback.required_keys=[x]",),
    # every run starts in a directory of its own here, but for the time that it takes to say so
    "output_guard_callback": ("hydra.callbacks.output_guard_callback.policy=warn",),
}
_STOPS = ("dry_run_callback",)
_OF_THE_PEER = {
    "git": "GitInfo",
    "latest": "LatestRunLink",
    "runtime": "RuntimePerformance",
    "register": "RegisterRunCallback",
}


@dataclass(frozen=True)
class Contender:
    """A way to run the app.

    Attributes:
        name: what the table calls it.
        python: the interpreter of its environment.
        arguments: the overrides that turn it on.
    """

    name: str
    python: str
    arguments: tuple[str, ...] = ()

    def command(self, *arguments: str) -> list[str]:
        """The command that runs the app."""
        return [self.python, "app.py", *arguments, *self.arguments]


class Contenders:
    """Environments for all of them, made below a directory.

    Args:
        directory: where the environments go; it must not hold any yet.
        extras: extras of this package that are installed.
        also: more packages in all environments, such as a launcher.
    """

    def __init__(self, directory: Path, extras: str = "all", also: tuple[str, ...] = ()) -> None:
        ours = environment(directory / "ours", f"{PROJECT}[{extras}]", *also)
        peer = environment(directory / "peer", PEER.replace(" ", "=="), *also)
        options = tuple(option for option in OPTIONS if option not in _STOPS)
        self.bare = Contender("bare Hydra", environment(directory / "bare", *also))
        self.installed = Contender("installed, not used", ours)
        self.both = _ours(ours, "logging and performance", ("logging_callback", "performance_callback"))
        self.alone = [_ours(ours, option, (option,)) for option in options]
        self.standard = _ours(ours, "standard_callbacks", ("standard_callbacks",))
        self.everything = _ours(ours, "everything", options)
        self.peer = Contender(
            PEER,
            peer,
            (
                *(f"+hydra.callbacks.{name}._target_=hydra_callbacks.{target}" for name, target in _OF_THE_PEER.items()),
                "+hydra.callbacks.register.multirun_base_dir=multirun",
            ),
        )


def write_repository(directory: Path, keys: int = 50, preamble: str = "") -> None:
    """Writes the app into a git repository, all of it committed, as people keep theirs."""
    write_app(directory, keys=keys, preamble=preamble)
    (directory / ".gitignore").write_text("outputs/\nmultirun/\nhooks_s\n", "utf-8")
    identity = ["-c", "user.name=benchmark", "-c", "user.email=benchmark@example.org"]
    for words in (["init", "-q"], ["add", "."], [*identity, "commit", "-q", "--allow-empty", "-m", "The app"]):
        subprocess.run(["git", *words], cwd=directory, check=True)  # noqa: S607  the git of the machine


def _ours(python: str, name: str, options: tuple[str, ...]) -> Contender:
    needed = [argument for option in options for argument in _NEEDED.get(option, ())]
    return Contender(name, python, (f"+callbacks=[{','.join(options)}]", *needed))
