"""What `validation_callback` costs: a sweep checked in advance against composing it, and a single run's start-up."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import harness
from harness import Line, interleaved, ratios, table
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf

from hydra_callback_kit import ValidationCallback
from hydra_callback_kit.configs.sweep_jobs import config_loader

REPETITIONS = 9
SCHEMA = {"properties": {"x": {"type": "integer"}, "key_1": {"type": "integer", "minimum": 0}}, "required": ["x"]}
VERSION_BASE = {"version_base": None} if "version_base=" in harness.MAIN else {}


def lines() -> list[Line]:
    with harness.temporary_directory() as name:
        directory = Path(name)
        harness.write_app(directory)
        (directory / "db").mkdir()
        for option in "abcdefgh":
            (directory / "db" / f"{option}.yaml").write_text(f"host: {option}\n", "utf-8")
        return [*_sweeps(directory), *_single_runs(directory)]


def _sweeps(directory: Path) -> list[Line]:
    with initialize_config_dir(str(directory), **VERSION_BASE):
        config = compose("config", return_hydra_config=True)
        callback = ValidationCallback(required_keys=["x"], forbid_missing=True, json_schema=SCHEMA, model="builtins.dict")
        values = [[f"x={i}", f"key_1={i % 7}"] for i in range(100)]
        groups = [[f"x={i}", f"+db={option}"] for option in "abcdefgh" for i in range(4)]
        small, large = zip(
            *([_checking(callback, config, jobs) for jobs in (values, values * 10)] for _ in range(3)), strict=True
        )
        return [
            Line.of("checking 100 jobs in advance / Hydra composing them, CPU time", _ratio(callback, config, values), 0.10),
            Line.of("the same, 8 config groups x 4 values", _ratio(callback, config, groups), 0.50),
            Line.of(
                "checking 1,000 jobs / 10 x checking 100", [b / (10 * a) for a, b in zip(small, large, strict=True)], 1.2
            ),
            Line.of("checking 1,000 jobs", large, None, "s"),
        ]


def _ratio(callback: ValidationCallback, config: DictConfig, jobs: list[list[str]]) -> list[float]:
    loader = config_loader()

    def by_hydra() -> None:
        for overrides in jobs:
            loader.load_sweep_config(config, list(overrides))

    return [_checking(callback, config, jobs) / _seconds(by_hydra) for _ in range(5)]


def _checking(callback: ValidationCallback, config: DictConfig, jobs: list[list[str]]) -> float:
    def in_advance() -> None:
        if callback._invalid_jobs(config, jobs):  # noqa: SLF001  what the hook does, without the end of the process
            raise RuntimeError("these jobs are valid")

    return _seconds(in_advance)


def _seconds(action: Callable[[], object]) -> float:
    started = time.process_time()
    action()
    return time.process_time() - started


def _single_runs(directory: Path) -> list[Line]:
    (directory / "schema.json").write_text(json.dumps(SCHEMA), "utf-8")
    keys = {"required_keys": ["x"], "forbid_missing": True}
    for name, parameters in (("keys", keys), ("schema", {**keys, "json_schema": "schema.json"})):
        chosen = "defaults:\n  - callbacks: [validation_callback]\n  - _self_\n"
        configured = OmegaConf.to_yaml(OmegaConf.create({"hydra": {"callbacks": {"validation_callback": parameters}}}))
        text = "\n".join([chosen, (directory / "config.yaml").read_text("utf-8"), configured])
        (directory / f"{name}.yaml").write_text(text, "utf-8")
    commands = [
        [sys.executable, "app.py", "--config-name", name, "hydra.run.dir=out"] for name in ("config", "keys", "schema")
    ]
    of_bare, of_keys, of_schema = interleaved(commands, directory, REPETITIONS)
    return [
        Line.of("a single run with required_keys and forbid_missing / bare, wall", ratios(of_keys, of_bare, "wall_s"), 1.10),
        Line.of("a single run with json_schema / bare, wall", ratios(of_schema, of_bare, "wall_s"), 1.35),
        Line.of("the same, CPU", ratios(of_schema, of_bare, "cpu_s"), None),
    ]


if __name__ == "__main__":
    print(table(lines()))
