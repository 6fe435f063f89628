"""`hydra-callback-kit list`: the callbacks, from the dataclasses that Hydra composes and the classes' docstrings."""

import dataclasses
import difflib
import inspect
import json
import re
import shutil
from typing import Any, Final

import click

import hydra_callback_kit
from hydra_callback_kit.cli import screen
from hydra_callback_kit.cli.target import json_option
from hydra_callback_kit.views.plain_table import Column
from hydra_plugins.hydra_callback_kit._configs import dataclass_of
from hydra_plugins.hydra_callback_kit.config import OPTIONS, SETS

_SENTENCE: Final = re.compile(r"^(.*?\.)\s.*$")


def _names(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    return [name for name in (*OPTIONS, *SETS) if name.startswith(incomplete)]


@click.command("list")
@click.argument("name", required=False, shell_complete=_names)
@json_option
def command(name: str | None, as_json: bool) -> None:
    """List the callbacks, or describe one of them.

    With NAME: its parameters, their types, defaults and meaning, and the YAML to paste.
    """
    names = [*OPTIONS, *SETS]
    if name is not None and name not in names:
        nearest = difflib.get_close_matches(name, names, n=1, cutoff=0.0)[0]
        raise click.UsageError(f"There is no callback {name!r}. Did you mean {nearest}? All: {', '.join(names)}.")
    described = [_describe(option) for option in OPTIONS if name in (None, option)]
    described += [_describe_set(option) for option in SETS if name in (None, option)]
    if as_json:
        screen.print_json(described if name is None else described[0])
    elif name is None:
        screen.print_table(
            [
                Column("name in `callbacks: [...]`", [callback["name"] for callback in described]),
                Column("what it does", [callback["summary"] for callback in described]),
            ]
        )
    else:
        _print(described[0])


def _describe(option: str) -> dict[str, Any]:
    node = dataclass_of(option)
    target: str = vars(node)["_target_"]
    callback = getattr(hydra_callback_kit, target.rpartition(".")[2])
    text = inspect.cleandoc(callback.__doc__ or "")
    meanings = _entries(_section(text, "Args"))
    example = re.search(r"```yaml\n(.*?)```", _section(text, "Example"), re.DOTALL)
    return {
        "name": option,
        "target": target,
        "summary": _SENTENCE.sub(r"\1", " ".join(text.partition("\n\n")[0].split())),
        "description": text.partition("\nArgs:")[0].partition("\nRaises:")[0].partition("\nFiles:")[0].strip(),
        "parameters": [
            {
                "name": field.name,
                "type": field.type if isinstance(field.type, str) else inspect.formatannotation(field.type),
                "default": field.default_factory() if callable(field.default_factory) else field.default,
                "meaning": meanings.get(field.name, ""),
            }
            for field in dataclasses.fields(node)
            if not field.name.startswith("_")  # Hydra's own, such as _target_
        ],
        "files": inspect.cleandoc(_section(text, "Files")),
        "example": inspect.cleandoc(example[1]) if example else "",
    }


def _describe_set(name: str) -> dict[str, Any]:
    summary = f"The set of {', '.join(SETS[name])}."
    return {
        "name": name,
        "target": None,
        "summary": summary,
        "description": f"{summary} Each of them is configured and dropped under its own name.",
        "parameters": [],
        "files": "",
        "example": f"defaults:\n  - callbacks: [{name}]\n  - _self_",
    }


def _section(text: str, name: str) -> str:
    """The indented block below `name:`."""
    found = re.search(rf"^{name}:\n((?:[ ]+.*\n?|\n)*)", text, re.MULTILINE)
    return inspect.cleandoc("\n" + found[1]) if found else ""


def _entries(section: str) -> dict[str, str]:
    """The entries `name: meaning` of a section, continued on indented lines."""
    found = re.findall(r"^(\w+): (.*(?:\n[ ]+.*)*)", section, re.MULTILINE)
    return {name: " ".join(meaning.split()) for name, meaning in found}


def _print(described: dict[str, Any]) -> None:
    width = min(shutil.get_terminal_size().columns, 120)
    screen.say(screen.Styled(described["name"], bold=True))
    screen.say_lines(click.wrap_text(described["description"], width, preserve_paragraphs=True))
    if described["parameters"]:
        _head("Parameters")
        for parameter in described["parameters"]:
            name = screen.Styled(parameter["name"], "cyan")
            screen.say("  ", name, f": {parameter['type']} = {json.dumps(parameter['default'])}")
            screen.say_lines(click.wrap_text(parameter["meaning"], width, "    ", "    "))
    if described["files"]:
        _head("Files")
        screen.say_lines(click.wrap_text(described["files"], width, "  ", "  ", preserve_paragraphs=True))
    _head("To paste")
    screen.say_lines(described["example"])


def _head(text: str) -> None:
    screen.say()
    screen.say(screen.Styled(text, bold=True))
