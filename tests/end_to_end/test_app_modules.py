"""An app that has modules named as Python's own or as libraries beside it: they are the app's, and we get Python's."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from apps import ON_LAUNCHER, TRACKERS, App

from hydra_plugins.hydra_callback_kit.config import OPTIONS

CHOSEN = [option for option in OPTIONS if option not in ("detach_callback", "dry_run_callback", *TRACKERS)]
ALL = f"""
defaults:
  - callbacks: [{", ".join(CHOSEN)}]
  - _self_
x: 0
hydra:
  callbacks:
    conditional_callback: {{condition_key: x, operator: ge, condition_value: 0}}
    device_callback: {{devices: [a, b], variable: MY_DEVICE}}
    failure_limit_callback: {{max_failures: 9}}
    keep_best_callback: {{metric: acc}}
    results_aggregator_callback: {{output_file: [results.json, results.csv]}}
    time_limit_callback: {{job_s: 100}}
    upload_callback: {{to: 'memory://copies'}}
    validation_callback: {{required_keys: [x]}}
"""
BARE = ["callbacks=[]", "hydra.callbacks={}", "hydra.run.dir=bare", "hydra.sweep.dir=bare"]
OWN = (
    "import os\nos.write(2, b'LOADED %s\\n')\nif os.environ.get('HARD'):\n    raise SystemExit('not for you')\nOWN = True\n"
)
NOT_HERE = ("nt", "msvcrt", "winreg", "_winapi", "_overlapped", "_wmi", "this", "antigravity", "app")
"""What Python itself asks for to learn which system it is on, and what does something when it is imported."""


def write_modules(directory: Path, *names: str) -> None:
    """Modules of the app's own, which say that they are loaded."""
    for name in names:
        (directory / f"{name}.py").write_text(OWN % name)


def loaded(said: str) -> set[str]:
    """The app's own modules that were loaded."""
    return {line.split()[1] for line in said.splitlines() if line.startswith("LOADED ")}


SAYS_WHAT_IS_LOADED = """
import atexit
def say_what_is_loaded():
    if os.environ.get("SAY_ALL"):
        os.write(2, "".join(f"LOADED {name}\\n" for name in list(sys.modules)).encode())
atexit.register(say_what_is_loaded)
"""


def without_what_others_load(app: App, *arguments: str) -> None:
    """Writes all modules but those which Python, Hydra or the launcher fall over without us as well."""
    every = {name for name in sys.stdlib_module_names if name not in (*sys.builtin_module_names, *NOT_HERE, "asyncio")}
    every -= loaded(app.run(*arguments, *BARE, SAY_ALL="1").stderr)
    write_modules(app.directory, *sorted(every), "jinja2", "markupsafe", "rich", "click")
    while found := loaded(app.run(*arguments, *BARE).stderr):
        for name in found:
            (app.directory / f"{name}.py").unlink()


@pytest.mark.parametrize(
    "arguments", [["x=1"], ["-m", "x=1,2"], ["-m", "x=1,2", *ON_LAUNCHER["joblib"]]], ids=["run", "sweep", "joblib"]
)
def test_no_module_of_the_apps_is_loaded_for_us(app: App, arguments: list[str]) -> None:
    """With every callback on, and every module of the standard library hidden that is not loaded without us."""
    body = "say_what_is_loaded()\nif cfg.x == 2:\n    raise ValueError('boom')\nreturn {'acc': cfg.x}"
    app.write(body, ALL, SAYS_WHAT_IS_LOADED)
    without_what_others_load(app, *arguments)
    assert (app.directory / "statistics.py").exists()
    bare = app.run(*arguments, *BARE)
    done = app.run(*arguments, HARD="1")
    assert done.code == bare.code, done.stderr
    assert loaded(done.stderr) == set()
    assert "not affected" not in done.stdout + done.stderr
    names = {path.name for path in done.root.iterdir()}
    assert {"results.json", "results.csv", "report.html", "performance.json", "provenance.json"} <= names


USED = ("statistics", "secrets", "csv", "shlex", "html", "rich", "psutil")


@pytest.mark.parametrize(
    ("how", "first"),
    [(["app.py"], "the app"), (["app.py"], "we"), (["-m", "app"], "we")],
    ids=["script-app", "script-we", "module"],
)
def test_the_app_gets_its_own_modules(app: App, first: str, how: list[str]) -> None:
    """Whoever imports first; the file of `psutil` alone is not made, and it is said why."""
    imports = f"import {', '.join(USED)}\nassert all(module.OWN for module in ({', '.join(USED)}))\n"
    app.write(
        f"{imports}\ntime.sleep(0.5)\nprint('OWN')\nreturn {{'acc': cfg.x}}", ALL, imports if first == "the app" else ""
    )
    write_modules(app.directory, *USED)
    command = [sys.executable, *how, "-m", "x=1,2", "hydra.sweep.dir=out"]
    done = subprocess.run(command, cwd=app.directory, env=app.environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("OWN") == 2
    assert [row["status"] for row in json.loads((app.directory / "out" / "results.json").read_text())] == ["COMPLETED"] * 2
    assert (app.directory / "out" / "report.html").exists()
    errors = [line for line in done.stdout.splitlines() if "[ERROR]" in line]
    assert len(errors) == 1
    assert "the app has its own psutil" in errors[0]


def test_an_app_with_its_own_asyncio_uploads_nothing(app: App) -> None:
    """A part of Python's is written in C, and would load the app's: so this callback says that it cannot be had."""
    app.write(
        "return 1", "defaults: [callbacks: [upload_callback]]\nhydra: {callbacks: {upload_callback: {to: 'file://there'}}}"
    )
    write_modules(app.directory, "asyncio")
    done = app.run()
    assert done.code == 1
    assert "the app has its own asyncio, which hides the library of this name" in done.stderr
    assert "full_key: hydra.callbacks.upload_callback" in done.stderr
    assert loaded(done.stderr) == set()


def test_a_virtual_environment_in_the_apps_directory(app: App) -> None:
    """Libraries that lie there are libraries all the same: what they import is Python's own."""
    packages = app.directory / ".venv" / "lib"
    packages.mkdir(parents=True)
    (packages / "some_library.py").write_text("import fractions\nfrom statistics import fmean")
    app.write(
        """
        code = compile("import some_library", "ours", "exec")
        exec(code, vars(sys.modules["hydra_callback_kit.callbacks.logging_callback"]))
        import statistics
        assert statistics.OWN
        """,
        "defaults:\n  - callbacks: [logging_callback]\n  - _self_\nx: 0",
        f"sys.path.append({str(packages)!r})",
    )
    write_modules(app.directory, "statistics", "fractions")
    done = app.run("x=1")
    assert (done.code, loaded(done.stderr)) == (0, {"statistics"}), done.stderr


def test_commands_in_the_directory_of_such_an_app(app: App) -> None:
    """`python -m hydra_callback_kit` looks there first as well."""
    app.write("if cfg.x == 2:\n    raise ValueError('boom')\nreturn {'acc': cfg.x}", ALL)
    app.run("-m", "x=1,2")
    write_modules(
        app.directory, "statistics", "secrets", "csv", "shlex", "html", "rich", "jinja2", "click", "difflib", "textwrap"
    )
    write_modules(app.directory, "heapq", "fractions", "shutil", "tempfile", "hashlib", "platform")
    for command in (
        "list",
        "show out",
        "failed out",
        "rerun out",
        "collect out -o table.csv",
        "report out",
        "best out",
        "shwo",
        "--version",
    ):
        done = subprocess.run(
            [sys.executable, "-m", "hydra_callback_kit", *command.split()],
            cwd=app.directory,
            env=app.environment(HARD="1"),
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, loaded(done.stderr)) == (2 if command == "shwo" else 0, set()), (command, done.stderr)


def test_folders_of_such_names_hide_nothing(app: App) -> None:
    """`logging/` or `statistics/` with data in them; and nothing of what passes by the app's modules is loaded then."""
    app.write(
        "print('LOOKED', 'hydra_callback_kit._own_imports' in sys.modules, len(sys.meta_path))\nimport statistics", ALL
    )
    for name in ("statistics", "secrets", "csv"):
        (app.directory / name).mkdir()
    finders = app.run("x=1", *BARE).stdout.split()[-1]
    done = app.run("x=1")
    assert done.code == 0, done.stderr
    assert f"LOOKED True {finders}" in done.stdout
    for name in ("statistics", "secrets", "csv"):
        shutil.rmtree(app.directory / name)
    assert f"LOOKED False {finders}" in app.run("x=1", "hydra.run.dir=again").stdout


def test_what_a_library_brings_along_is_no_module_of_the_app(tmp_path: Path) -> None:
    """Ray puts a `psutil` of its own before the standard library, and jobs in its workers are measured with it."""
    bundled = tmp_path / "site-packages" / "ray" / "thirdparty_files"
    bundled.mkdir(parents=True)
    (bundled / "psutil.py").touch()
    code = f"import sys; sys.path.insert(0, {str(bundled)!r}); import hydra_callback_kit"
    code += "; print('hydra_callback_kit._own_imports' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
