"""Configs of Hydra's own tests and examples, composed by Hydra and as `compose_once_callback` does; prints what differs.

    python .ci/hydra_configs.py DIRECTORY [JOBS [SEED]]

DIRECTORY holds `tests/` and `examples/` of Hydra's repository. Below it each directory that holds configs is taken for an
app's, with each config in it as the primary one, and so many jobs (200) get overrides that are drawn: options of its groups,
values, lists and dicts for its keys, deletions, appended keys, overrides of Hydra's own config. The exit code is 0 if no job
has another config, and no other error, than Hydra gives it, and at most 10 percent of those that can be composed are left to
Hydra.
"""

import contextlib
import logging
import os
import pickle
import random
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import hydra
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf

from hydra_callback_kit.configs.composed_job import made
from hydra_callback_kit.configs.difference import difference
from hydra_callback_kit.configs.job_configs import JobConfigs
from hydra_callback_kit.configs.sweep_jobs import config_loader

VERSION_BASE: dict[str, Any] = {"version_base": None} if hydra.__version__.startswith("1.3.") else {}
VALUES = ("1", "null", "0.5", "true", "text", "'a,b'", "[1,2]", "{a: 1}", "???", "${x}", "[]", "{}")
OF_HYDRA = (
    "hydra.job.name=other",
    "hydra.sweep.subdir=a_${hydra.job.num}",
    "hydra.verbose=true",
    "hydra.job.env_copy=[HOME]",
)
MOST = 0.1
"""The share of jobs that may be left to Hydra."""
OWN = ("+callbacks=logging_callback", "hydra/callbacks=[latest_run_callback]")


def primary_configs(directory: Path) -> Iterator[tuple[Path, str]]:
    """The directories that hold configs, and each config in them; they may also be groups of a directory above."""
    for folder in sorted({file.parent for file in directory.rglob("*.yaml")}):
        for file in sorted(folder.glob("*.yaml")):
            yield folder, file.stem


class Drawn:
    """Draws the overrides of jobs.

    Args:
        folder: where the app's configs are.
        master: its config.
        draw: what draws.
    """

    def __init__(self, folder: Path, master: DictConfig, draw: random.Random) -> None:
        self._draw = draw
        groups = sorted({file.parent for file in folder.rglob("*.yaml")} - {folder})
        self._options = [
            f"{group.relative_to(folder).as_posix()}={file.stem}"
            for group in groups
            for file in sorted(group.glob("*.yaml"))
        ]
        plain = OmegaConf.to_container(master, resolve=False)
        self._keys = [key for key in _dotted(plain) if not key.startswith("hydra")] if isinstance(plain, dict) else []

    def job(self) -> list[str]:
        """The overrides of one job."""
        return [self._override() for _ in range(self._draw.randrange(5))]

    def _override(self) -> str:
        draw = self._draw
        (kind,) = draw.choices(("option", "of Hydra", "key", "new key"), weights=(30, 4, 50, 16))
        if kind == "option" and self._options:
            option = draw.choice(self._options)
            group, _, name = option.partition("=")
            return draw.choice(
                (option, option, option, f"+{option}", f"~{group}", f"{group}@there={name}", f"{group}=[{name}]")
            )
        if kind == "of Hydra":
            return draw.choice(OF_HYDRA + OWN)
        if kind == "key" and self._keys:
            key, value = draw.choice(self._keys), draw.choice(VALUES)
            usual = f"{key}={draw.choice(VALUES[:6])}"
            return draw.choice((usual, usual, usual, f"{key}={value}", f"++{key}={value}", f"+{key}={value}", f"~{key}"))
        return draw.choice(("+new={value}", "+new.inner={value}", "++new.inner={value}", "nope=1")).format(
            value=draw.choice(VALUES)
        )


def _dotted(value: Any, above: str = "") -> Iterator[str]:
    for key, each in value.items() if isinstance(value, dict) else ():
        yield f"{above}{key}"
        yield from _dotted(each, f"{above}{key}.")


def outcome(action: Callable[[], DictConfig]) -> DictConfig | tuple[type, str]:
    """What it returns, or how it fails."""
    try:
        return action()
    except Exception as error:  # noqa: BLE001  whatever Hydra says
        return type(error), str(error)


def compare(folder: Path, name: str, count: int, draw: random.Random, counts: Counter[str]) -> Iterator[str]:
    """Compares jobs of one app; what differs."""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(initialize_config_dir(str(folder), **VERSION_BASE))
            master = compose(name, return_hydra_config=True)
        except Exception:  # noqa: BLE001  the same
            return  # it is there to be refused, or is no primary config
        counts["apps"] += 1
        jobs, drawn, loader = JobConfigs(master), Drawn(folder, master, draw), config_loader()
        for _ in range(count):
            overrides = drawn.job()
            left = sum(jobs.reasons.values())
            theirs = outcome(lambda: loader.load_sweep_config(master, list(overrides)))  # noqa: B023  called at once
            ours = outcome(lambda: elsewhere(jobs, master, overrides))  # noqa: B023  the same
            if isinstance(theirs, DictConfig):
                counts["composed"] += 1
                counts["left to Hydra"] += sum(jobs.reasons.values()) - left
            found = (
                difference(ours, theirs)
                if isinstance(ours, DictConfig) and isinstance(theirs, DictConfig)
                else None
                if ours == theirs
                else f"{ours} instead of {theirs}"
            )
            if found is not None:
                yield f"{folder}/{name} {overrides}: {found}"
        counts.update({f"reason: {reason}": number for reason, number in jobs.reasons.items()})


def elsewhere(jobs: JobConfigs, master: DictConfig, overrides: Sequence[str]) -> DictConfig:
    """A job's config as another process makes it."""
    job = jobs.job(overrides)
    if job is None:
        return config_loader().load_sweep_config(master, list(overrides))
    return made(pickle.loads(pickle.dumps(job)), master)  # noqa: S301  its own


def main() -> int:
    """Compares all; prints the differences, and the numbers."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    directory, count, seed = Path(sys.argv[1]).resolve(), *(int(word) for word in (*sys.argv[2:], "200", "1")[:2])
    os.chdir(directory)
    sys.path.insert(0, str(directory))
    draw, counts, different = random.Random(seed), Counter[str](), 0  # noqa: S311  examples
    for folder, name in primary_configs(directory):
        for found in compare(folder, name, count, draw, counts):
            different += 1
            print(found[:1000], flush=True)
    share = counts["left to Hydra"] / max(counts["composed"], 1)
    for what, number in counts.most_common(25):
        print(f"{number:8} {what[:150]}")
    print(f"Hydra {hydra.__version__}: {counts['apps']} apps, {different} jobs differ, {share:.1%} left to Hydra")
    return 1 if different or share > MOST or not counts["composed"] else 0


if __name__ == "__main__":
    sys.exit(main())
