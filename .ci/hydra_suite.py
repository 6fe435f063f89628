"""Hydra's own tests, as they are and with all our callbacks put into the default config of every app; prints what differs.

    python .ci/hydra_suite.py DIRECTORY [TEST ...]

DIRECTORY holds `tests/` of Hydra's repository, at the tag of the installed version. The exit code is 0 if the difference
is the known one: tests that compare a listing of the whole config, or of the plugins, name by name, and of a sweep that
cannot be composed. What fails without us and not with us, as a time limit of hypothesis may, is printed alone.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree as ET

import hydra

ALL_ON = '''
"""Puts all callbacks into the config that every Hydra app starts from, and lets them log nothing that a test would read."""

import logging

from hydra.core.config_store import ConfigStore
from omegaconf import OmegaConf, open_dict

from hydra_plugins.hydra_callback_kit._configs import dataclass_of
from hydra_plugins.hydra_callback_kit.config import OPTIONS

logging.getLogger("hydra_callback_kit").setLevel(logging.CRITICAL)
NEEDED = {
    "conditional_callback": {"job_status": "FAILED"},
    "device_callback": {"devices": list(range(64)), "variable": "DEVICE_OF_THE_JOB"},
    "keep_best_callback": {"metric": "return_value", "mode": "max"},
    "output_guard_callback": {"policy": "warn"},
    "time_limit_callback": {"job_s": 3600.0},
    "upload_callback": {"to": "memory://copies"},
}
ACTS = ("detach_callback", "dry_run_callback", "resume_callback", "retry_callback")
TRACKERS = ("mlflow_callback", "wandb_callback")  # their libraries are not there

node = ConfigStore.instance().repo["hydra"]["config.yaml"].node
for option in OPTIONS:
    if option not in (*ACTS, *TRACKERS, *node.callbacks):
        with open_dict(node):
            node.callbacks[option] = OmegaConf.merge(OmegaConf.structured(dataclass_of(option)), NEEDED.get(option, {}))
'''
TESTS = (
    "tests/test_hydra.py",
    "tests/test_basic_sweeper.py",
    "tests/test_compose.py",
    "tests/test_examples",
    "tests/test_apps",
)
LISTINGS = re.compile(
    r"cfg|config_group|info|plugins|completion|help|hydra_main_rerun|defaults|searchpath|whitelist|callbacks|output_dir"
)
"""What the names of tests that compare listings hold."""
REFUSED = ("test_launch_with_multirun_with_default_values",)
"""Of a sweep that cannot be composed: our validation refuses it before Hydra comes to it, with an exception of its own."""


def outcomes(directory: Path, tests: list[str], plugins: str) -> dict[str, str]:
    """Runs tests of Hydra's; the outcome of each."""
    environment = {**os.environ, "PYTHONPATH": f"{directory}{os.pathsep}{plugins}", "PYTHONWARNINGS": "ignore"}
    report = Path(plugins, "report.xml")
    options = ["-n", "2", "-q", f"--junitxml={report}", "-p", "no:cacheprovider", "-o", "addopts="]
    command = [sys.executable, "-m", "pytest", *options, *tests]
    done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)
    cases = ET.parse(report).getroot().iter("testcase") if report.exists() else ()
    found = {f"{case.get('classname')}::{case.get('name')}": _outcome(case) for case in cases}
    if not found:
        sys.exit(f"no test was run:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return found


def _outcome(case: ET.Element) -> str:
    return next((child.tag for child in case if child.tag in ("failure", "error", "skipped")), "passed")


def main() -> int:
    """Compares the two."""
    directory, given = Path(sys.argv[1]).resolve(), sys.argv[2:]
    tests = given or [test for test in TESTS if (directory / test).exists()]
    with tempfile.TemporaryDirectory() as plugins:
        bare = outcomes(directory, tests, plugins)
        package = Path(plugins, "hydra_plugins", "zz_all_on")
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(ALL_ON, "utf-8")
        ours = outcomes(directory, tests, plugins)
    different = sorted(name for name in bare if bare[name] != ours.get(name))
    worse = [name for name in different if bare[name] == "passed"]
    unknown = [name for name in worse if not LISTINGS.search(name) and not name.endswith(REFUSED)]
    for name in different:
        print(f"{'known' if name not in unknown else 'UNKNOWN'}: {name}: {bare[name]}, with us {ours.get(name)}")
    print(f"Hydra {hydra.__version__}: {len(bare)} tests, {len(different)} differ, {len(unknown)} of them not known")
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main())
