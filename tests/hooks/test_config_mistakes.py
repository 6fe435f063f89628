"""Mistakes below `hydra.callbacks`: said once, with what was meant."""

import pytest
from apps import App

STRAY = """
defaults:
  - callbacks: [performance_callback]
  - _self_
x: 0
hydra:
  callbacks:
    logging_callback: {log_config: true}
    perfomance_callback: {level: DEBUG}
    mine: {a: 1}
"""
SELF_FIRST = """
defaults:
  - _self_
  - callbacks: [performance_callback, logging_callback]
x: 0
hydra:
  callbacks:
    performance_callback: {level: DEBUG, output_file: performance.json}
"""
STRUCTURED = """
from dataclasses import dataclass, field
from typing import Any
from hydra.core.config_store import ConfigStore

@dataclass
class Config:
    defaults: list[Any] = field(default_factory=lambda: ["_self_", {"callbacks": ["performance_callback"]}])
    hydra: Any = field(default_factory=lambda: {"callbacks": {"performance_callback": {"level": "DEBUG"}}})
    x: int = 0

ConfigStore.instance().store(name="stored", node=Config)
"""
ZEN = """
from hydra_zen import make_config, store
Config = make_config(
    hydra_defaults=["_self_", {"callbacks": ["performance_callback"]}],
    hydra={"callbacks": {"performance_callback": {"level": "DEBUG"}}},
    x=0,
)
store(Config, name="stored")
store.add_to_hydra_store()
"""


def test_settings_of_what_is_not_chosen_are_named_once(app: App, launcher: str) -> None:
    """Each with the name that was meant; Hydra's own warnings at every hook of every job do not follow."""
    app.write("import warnings\nwarnings.warn('mine')", STRAY)
    done = app.sweep(launcher, "x=1,2,3")
    assert done.code == 0
    said = done.stdout + done.stderr
    assert said.count("hydra.callbacks.logging_callback has settings, but logging_callback is not chosen") == 1
    assert said.count("Did you mean hydra.callbacks.performance_callback?") == 1
    assert said.count("hydra.callbacks.mine is no callback, so it does nothing: it has no _target_.") == 1
    assert "Callback DictConfig" not in said
    assert "UserWarning: mine" in said or launcher == "submitit_local"  # in its own log


def test_hydra_may_warn_again_afterwards(app: App) -> None:
    """The filter is gone once the run has ended."""
    app.write("pass", STRAY, "import atexit, warnings\nbefore = list(warnings.filters)")
    source = (
        (app.directory / "app.py").read_text().replace("    main()", "    main()\n    print(warnings.filters == before)")
    )
    (app.directory / "app.py").write_text(source)
    assert "True" in app.run().stdout.splitlines()


@pytest.mark.parametrize("preamble", ["", STRUCTURED, ZEN], ids=["yaml", "structured", "hydra-zen"])
def test_settings_that_are_replaced_are_named(app: App, preamble: str) -> None:
    """`_self_` stands before `callbacks`, so that the option's own values win: said once, with what to do."""
    app.write("return 1", SELF_FIRST, preamble)
    stored = ["--config-name", "stored"] if preamble else []
    done = app.run(*stored)
    name = "stored" if preamble else "config"
    assert done.code == 0, done.stderr
    assert (
        done.stdout.count(f"{name} sets hydra.callbacks.performance_callback.level=DEBUG, but the value used is INFO") == 1
    )
    assert "Move `_self_` to the end of the list." in done.stdout
    assert "output_file" not in done.stdout  # the same as the option's own
    given = app.run(*stored, "hydra.callbacks.performance_callback.level=INFO")
    assert "Warning" not in given.stdout


def test_an_ordinary_config_is_not_spoken_of(app: App) -> None:
    """`_self_` at the end, and an override on the command line."""
    app.write("return 1", SELF_FIRST.replace("  - _self_\n", "").replace("\nx: 0", "\n  - _self_\nx: 0"))
    assert "Warning" not in app.run("hydra.callbacks.performance_callback.level=INFO").stdout
