"""What holds for every callback that the package registers."""

import dataclasses
import inspect
import pickle
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest
from apps import TRACKERS, App
from hydra.experimental.callback import Callback
from hydra.utils import get_class

import hydra_callback_kit
from hydra_plugins.hydra_callback_kit import config
from hydra_plugins.hydra_callback_kit._configs import dataclass_of

HOOKS = ("on_run_start", "on_run_end", "on_multirun_start", "on_multirun_end", "on_job_start", "on_job_end")
NOT_FOR_A_HOOKLESS_APP = (
    "rich",
    "click",
    "psutil",
    "pynvml",
    "jsonschema",
    "pydantic",
    "pyarrow",
    "plotly",
    "jinja2",
    "numpy",
    "pandas",
    "mlflow",
    "requests",
    "tensorboard",
    "pyinstrument",
    "memray",
    "wandb",
    "apprise",
    "fsspec",
    "s3fs",
)


NEEDED = {
    "conditional_callback": {"condition_key": "x"},
    "keep_best_callback": {"metric": "accuracy"},
    "time_limit_callback": {"job_s": 60.0},
    "upload_callback": {"to": "copies"},
}
"""The parameters without which an option can't be built."""


def with_mark(option: str) -> object:
    """An option, which only the stage of the trackers looks at if its library is only there."""
    return pytest.param(option, marks=getattr(pytest.mark, option.removesuffix("_callback")) if option in TRACKERS else ())


@pytest.fixture(params=[with_mark(option) for option in sorted(config.OPTIONS)])
def option(request: pytest.FixtureRequest) -> str:
    """Each option in turn."""
    return request.param


def parameters_of(option: str) -> list[dataclasses.Field]:
    """The fields of an option's node that are parameters."""
    return [field for field in dataclasses.fields(dataclass_of(option)) if not field.name.startswith("_")]


def default_of(field: dataclasses.Field) -> object:
    """A field's default, made if it has a factory."""
    return field.default if field.default_factory is dataclasses.MISSING else field.default_factory()


def class_of(option: str) -> type[Callback]:
    """The class that an option's target names."""
    return get_class(dataclass_of(option)._target_)


def built(option: str) -> Callback:
    """A callback of an option, with its defaults where it has any."""
    return class_of(option)(**NEEDED.get(option, {}))


def test_the_target_is_a_public_class_with_the_options_name(option: str) -> None:
    """`some_callback` builds `hydra_callback_kit.SomeCallback`, a subclass of Hydra's own Callback."""
    name = "".join(word.capitalize() for word in option.split("_"))
    assert dataclass_of(option)._target_ == f"hydra_callback_kit.{name}"
    assert name in hydra_callback_kit.__all__
    assert issubclass(class_of(option), Callback)


def test_every_public_callback_is_an_option() -> None:
    """None is exported that users cannot choose."""
    assert tuple(sorted(config.OPTIONS)) == config.OPTIONS
    targets = {node._target_.rpartition(".")[2] for node in map(dataclass_of, config.OPTIONS)}
    public = {name for name in hydra_callback_kit.__all__ if name.endswith("Callback")}
    assert targets == public - {"RecordingCallback"}  # the base class, which does nothing by itself


def test_the_node_and_the_class_agree(option: str) -> None:
    """The dataclass's fields are the parameters of `__init__`: names, order and defaults."""
    signature = inspect.signature(class_of(option))
    assert [field.name for field in parameters_of(option)] == list(signature.parameters)
    for field in parameters_of(option):
        default = signature.parameters[field.name].default
        plain = list(default) if isinstance(default, tuple) else dict(default) if isinstance(default, Mapping) else default
        assert default_of(field) == plain, field.name


def test_every_parameter_and_hook_is_documented(option: str) -> None:
    """Args lists every parameter; Files and an Example stand in the docstring; each hook says what it does."""
    documented = inspect.getdoc(class_of(option)) or ""
    for field in parameters_of(option):
        assert re.search(rf"^    {field.name}: \S", documented, re.MULTILINE), field.name
    for section in ("Files:", "Example:"):
        assert section in documented
    for hook in HOOKS:
        if hook in vars(class_of(option)):
            assert inspect.getdoc(vars(class_of(option))[hook])


def test_it_survives_pickling(option: str) -> None:
    """A copy that a launcher sends to a worker has the same parameters."""
    callback = built(option)
    plain = (str, int, float, list, dict, type(None))
    state = {name: value for name, value in vars(callback).items() if isinstance(value, plain)}
    copied = vars(pickle.loads(pickle.dumps(callback)))
    assert copied.keys() == vars(callback).keys()
    assert {name: copied[name] for name in state} == state


def test_its_hooks_take_hydras_arguments_and_any_to_come(option: str) -> None:
    """Each hook has Hydra's own signature and takes unknown keyword arguments."""
    for hook in HOOKS:
        signature = inspect.signature(getattr(class_of(option), hook))
        expected = inspect.signature(getattr(Callback, hook))
        assert set(expected.parameters) <= set(signature.parameters)
        assert any(parameter.kind is parameter.VAR_KEYWORD for parameter in signature.parameters.values())


def test_the_docstrings_example_composes_and_runs(option: str, app: App) -> None:
    """The YAML of the docstring, in an empty app, is a valid config."""
    (example,) = re.findall(r"```yaml\n(.*?)```", inspect.getdoc(class_of(option)) or "", re.DOTALL)
    app.write("return cfg.x", inspect.cleandoc(example) + "\nx: 0\n")
    done = app.run()
    assert done.code == 0, done.stderr
    assert "UserWarning" not in done.stderr


def test_a_broken_config_breaks_no_hook(option: str, caplog: pytest.LogCaptureFixture) -> None:
    """A hook that gets what it cannot use says so in the log and raises nothing."""
    callback = built(option)
    for hook in HOOKS:
        getattr(callback, hook)(config=None, job_return=None, task_function=None, more=1)


def test_importing_a_callback_imports_no_optional_package(option: str) -> None:
    """A process that builds the callback has loaded nothing but Hydra and what Hydra loads."""
    code = f"""
import sys, hydra
from hydra.utils import get_class
get_class({dataclass_of(option)._target_!r})(**{NEEDED.get(option, {})!r})
print(*[name for name in {NOT_FOR_A_HOOKLESS_APP!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_the_plugin_module_imports_only_hydra() -> None:
    """Every Hydra app on the machine imports it."""
    source = Path(config.__file__).read_text("utf-8")
    assert set(re.findall(r"^(?:from|import) (\w+)", source, re.MULTILINE)) <= {"hydra", "omegaconf"}


FLOORS = (
    ("cli",),
    ("callbacks",),
    ("hooks",),
    ("trackers",),
    ("launching",),
    ("devices",),
    ("views", "checks", "provenance", "measure"),
    ("remote",),
    ("capture",),
    ("configs",),
    ("journal",),
)
"""The package's folders from top to bottom."""


def test_imports_point_downwards() -> None:
    """A module imports from its own folder and from the floors below, not from a folder beside it or above."""
    package = Path(hydra_callback_kit.__file__).parent
    folders = {folder.name for folder in package.iterdir() if (folder / "__init__.py").exists()}
    assert folders <= {folder for floor in FLOORS for folder in floor}
    for number, floor in enumerate(FLOORS):
        below = {folder for lower in FLOORS[number + 1 :] for folder in lower}
        for folder in folders.intersection(floor):
            for file in (package / folder).rglob("*.py"):
                imported = set(re.findall(r"(?<!hydra_plugins\.)hydra_callback_kit\.(\w+)", "\n".join(_imports(file))))
                assert imported <= {folder} | below, file


def test_a_callback_imports_no_other() -> None:
    """What two callbacks share has a place of its own."""
    for file in (Path(hydra_callback_kit.__file__).parent / "callbacks").glob("*.py"):
        assert "hydra_callback_kit.callbacks" not in "\n".join(_imports(file)), file


def test_the_journal_knows_nothing_of_hydra() -> None:
    """What reads a journal starts without Hydra: neither it nor OmegaConf is imported at the top of a file."""
    for file in (Path(hydra_callback_kit.__file__).parent / "journal").glob("*.py"):
        at_the_top = [line for line in _imports(file) if not line.startswith(" ")]
        assert not [line for line in at_the_top if re.match(r"(from|import) (hydra|omegaconf)\b", line)], file


def test_what_hydra_may_move_is_imported_in_one_place() -> None:
    """Hydra's Callback, and everything that Hydra does not call public: a release that moves one costs one line."""
    package = Path(hydra_callback_kit.__file__).parent
    importing = {
        what: [str(file.relative_to(package)) for file in package.rglob("*.py") if what in "\n".join(_imports(file))]
        for what in ("hydra.experimental", "hydra._internal")
    }
    assert importing["hydra.experimental"] == [str(Path("hooks", "hydra_callback.py"))]
    assert importing["hydra._internal"] == [str(Path("configs", "hydra_internals.py"))]


_EVERY_MODULE: Final = """
import importlib, pkgutil, sys
sys.path.insert(0, sys.argv[1])
import hydra_callback_kit
for module in pkgutil.walk_packages(hydra_callback_kit.__path__, "hydra_callback_kit."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
for name in sys.argv[2:]:
    assert importlib.import_module(name).OWN, name
"""


def test_what_an_app_hides_is_not_imported_by_us(tmp_path: Path) -> None:
    """Each module of this package gets Python's own, and the app its own afterwards."""
    code = "import sys, hydra.main, hydra.core.hydra_config, importlib.resources; print(*sys.modules)"
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    hidden = {
        "csv",
        "shlex",
        "statistics",
        "secrets",
        "html",
        "difflib",
        "getpass",
        "subprocess",
        "tempfile",
        "tomllib",
        "rich",
    }
    hidden -= {*there}
    assert {"csv", "statistics", "secrets"} <= hidden
    for name in hidden:
        (tmp_path / f"{name}.py").write_text("OWN = True")
    done = subprocess.run(
        [sys.executable, "-c", f"import hydra.main\n{_EVERY_MODULE}", str(tmp_path), *hidden],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_only_modules_of_ours_are_imported_past_the_import_statement() -> None:
    """`importlib.import_module` knows nothing of who asks: it would find the app's `statistics.py`."""
    package = Path(hydra_callback_kit.__file__).parent
    for file in package.rglob("*.py"):
        if file.name != "_own_imports.py":
            for call in re.findall(r"import_module\((.*)", file.read_text("utf-8")):
                assert re.match(r'_PACKAGE\)|f"\{__name__\}\.|f"hydra_callback_kit\.', call), (file, call)


def _imports(file: Path) -> list[str]:
    return [line for line in file.read_text("utf-8").splitlines() if re.match(r"\s*(from|import) ", line)]


def test_the_public_names_load_on_first_use() -> None:
    """`dir` lists them, each can be had, and an unknown one is an AttributeError."""
    assert sorted(hydra_callback_kit.__all__) == list(hydra_callback_kit.__all__)
    assert set(hydra_callback_kit.__all__) < set(dir(hydra_callback_kit))
    for name in hydra_callback_kit.__all__:
        assert getattr(hydra_callback_kit, name) is not None
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*", hydra_callback_kit.__version__)
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        _ = hydra_callback_kit.Nonsense
