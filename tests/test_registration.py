"""How users choose callbacks: every way that Hydra has, from every place."""

import copy
import os
import subprocess
import sys

import pytest
from apps import App
from hydra.core.config_store import ConfigStore
from omegaconf import OmegaConf

from hydra_plugins.hydra_callback_kit.config import OPTIONS, SETS

SHOW = 'from hydra.core.hydra_config import HydraConfig\nprint("ON", *sorted(HydraConfig.get().callbacks or {}))\nreturn cfg'

STANDARD = "latest_run logging performance provenance results_aggregator"


def chosen(app: App, *arguments: str) -> list[str]:
    """The callbacks that the app ran with."""
    done = app.run(*arguments)
    assert done.code == 0, done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("ON")]
    return line.split()[1:]


@pytest.mark.parametrize(
    ("config", "arguments", "expected"),
    [
        ("defaults:\n- callbacks: [logging_callback, performance_callback]\n- _self_", [], "logging performance"),
        ("defaults:\n- callbacks: logging_callback\n- _self_", ["callbacks=[performance_callback]"], "performance"),
        ("defaults:\n- callbacks: logging_callback\n- _self_", ["~hydra.callbacks.logging_callback"], ""),
        ("x: 0", ["+callbacks=[performance_callback,logging_callback]"], "logging performance"),
        ("x: 0", ["hydra/callbacks=[logging_callback]"], "logging"),
        ("defaults:\n- override hydra/callbacks: [performance_callback]\n- _self_", [], "performance"),
        ("defaults:\n- experiment: a\n- _self_", [], "performance"),
        ("defaults:\n- callbacks: [standard_callbacks, redaction_callback]\n- _self_", [], f"{STANDARD} redaction"),
        ("defaults:\n- experiment: b\n- _self_", ["~hydra.callbacks.logging_callback"], STANDARD.replace("logging ", "")),
        ("x: 0", ["+callbacks=standard_callbacks"], STANDARD),
        ("x: 0", ["hydra/callbacks=standard_callbacks"], STANDARD),
    ],
)
def test_every_way_to_choose(app: App, config: str, arguments: list[str], expected: str) -> None:
    """Defaults list, command line, both groups, deletion, a nested config, a named set: at `hydra.callbacks.<option>`."""
    app.write(SHOW, config)
    (app.directory / "experiment").mkdir()
    for experiment, name in (("a", "performance_callback"), ("b", "standard_callbacks")):
        nested = f"defaults:\n- /callbacks: [{name}]\n- _self_\nlr: 1\n"
        (app.directory / "experiment" / f"{experiment}.yaml").write_text(nested, "utf-8")
    assert chosen(app, *arguments) == sorted(f"{name}_callback" for name in expected.split())


def test_a_parameter_is_overridden_where_the_documentation_says(app: App) -> None:
    """`hydra.callbacks.performance_callback.<parameter>` works, and so does the YAML of the same name."""
    app.write("return 1", "defaults:\n- callbacks: [performance_callback]\n- _self_")
    done = app.run("hydra.callbacks.performance_callback.output_file=timing/p.json")
    assert done.code == 0
    assert (done.root / "timing" / "p.json").exists()
    assert not (done.root / "performance.json").exists()


def test_an_apps_own_callbacks_group_keeps_its_entries(app: App) -> None:
    """Their entries stay, mix with ours in YAML, and win over an option of ours of the same name."""
    app.write(
        "print(cfg.callbacks.checkpoint.every)\n" + SHOW, "defaults:\n- callbacks: [default, logging_callback]\n- _self_"
    )
    (app.directory / "callbacks").mkdir()
    (app.directory / "callbacks" / "default.yaml").write_text("checkpoint:\n  every: 5\n", "utf-8")
    assert chosen(app) == ["logging_callback"]
    assert chosen(app, "hydra/callbacks=[performance_callback]") == ["logging_callback", "performance_callback"]


@pytest.mark.parametrize("option", [*OPTIONS, *SETS])
def test_hydra_gets_copies_of_one_config(option: str) -> None:
    """Hydra asks for an option's config several times a job: it is made once, and what is set in a copy stays there."""
    store = ConfigStore.instance()
    first = store.load(f"callbacks/{option}.yaml").node
    assert store.repo["callbacks"][f"{option}.yaml"].node is store.repo["hydra"]["callbacks"][f"{option}.yaml"].node
    untouched = copy.deepcopy(first)
    OmegaConf.set_struct(first, False)
    first.another = [1]
    for name in SETS.get(option, ()):
        first[name]._target_ = "another"
    assert store.load(f"callbacks/{option}.yaml").node == untouched
    assert store.load(f"hydra/callbacks/{option}.yaml").node == untouched


def test_shell_completion_lists_the_options(app: App) -> None:
    """What bash asks for when a user presses tab after `callbacks=`."""
    app.write("return 1", "defaults:\n- callbacks: logging_callback\n- _self_")
    line = "app.py callbacks="
    environment = app.environment(COMP_LINE=line, COMP_POINT=str(len(line)), _TEST_COMPLETION="")
    done = subprocess.run(
        [sys.executable, "app.py", "-sc", "query=bash"],
        cwd=app.directory,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert {f"callbacks={option}" for option in (*OPTIONS, *SETS)} <= set(done.stdout.split())


def test_the_plugin_scan_names_us() -> None:
    """What `--info plugins` shows of the time that Hydra spends on importing the plugin, from half a millisecond on."""
    code = "from hydra.core.plugins import Plugins; print(*Plugins.instance().get_stats().modules_import_time)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert "hydra_plugins.hydra_callback_kit.config" in done.stdout.split()


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("hydra.callbacks.logging_callback.level=LOUD", ["DEBUG, INFO, WARNING, ERROR or CRITICAL", "logging_callback"]),
        ("hydra.callbacks.performance_callback.output_file=/nonexistent/x.json", ["/nonexistent", "output_file=x.json"]),
        ("hydra.callbacks.performance_callback.output_file=a/", ["a file's name", "performance_callback"]),
        ("hydra.callbacks.logging_callback.log_config=sometimes", ["log_config", "bool"]),
        ("+hydra.callbacks.logging_callback.colour=red", ["colour"]),
        ("hydra.callbacks.redaction_callback.keys=['']", ["redaction_callback", "keys"]),
    ],
)
@pytest.mark.parametrize("mode", ["run", "sweep"])
def test_a_bad_parameter_stops_the_app_before_any_job(app: App, override: str, said: list[str], mode: str) -> None:
    """The error names the config key, what was given and what is allowed; no job starts; the exit code is 1."""
    listed = "defaults:\n- callbacks: [logging_callback, performance_callback, redaction_callback]\n- _self_"
    app.write('print("job ran")', listed)
    done = app.run(*(["-m"] if mode == "sweep" else []), override)
    assert done.code == 1
    assert "job ran" not in done.stdout
    assert all(text in done.stderr for text in said), done.stderr
    assert not os.path.exists(done.root)  # noqa: PTH110  reads best
