"""YAML that loads back as what it was, in PyYAML and in OmegaConf, which takes more texts for numbers."""

import re
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any, Final

import yaml

# the one in C takes a third of the time; not every build of PyYAML has it
_Dumper: type[Any] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

# line breaks of Unicode, which the one in C writes as they are where PyYAML then reads a space
_BREAKS: Final = re.compile("[\x85\u2028\u2029]")


def config_text(values: Any, as_written: Sequence[str] = ()) -> str:
    """Writes a config as YAML, whose first line names the keys of interpolations that are as they were written.

    Args:
        values: the config as plain values.
        as_written: the keys.
    """
    head = f"# as written, for only the app itself can tell: {', '.join(as_written)}\n" if as_written else ""
    return head + yaml_text(values)


def yaml_text(value: Any) -> str:
    """Writes plain values as YAML.

    Args:
        value: what a config holds once it is resolved. Paths are written as texts, and what YAML has no word for as its
            `repr`.

    Returns:
        One document, its mappings in the order they have.
    """
    try:
        return _dump(value, _YamlDumper)
    except UnicodeEncodeError:  # half a surrogate pair, which the one in C cannot write
        return _dump(value, _PurePythonDumper)


def _dump(value: Any, dumper: type[Any]) -> str:
    text: str = yaml.dump(value, Dumper=dumper, sort_keys=False, allow_unicode=True, default_flow_style=False)
    return text


def _is_like_a_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


class _Representation:
    """What both dumpers add to PyYAML's."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  PyYAML's own name for it
        return True

    def of_text(self: Any, text: str) -> Any:
        style = '"' if _BREAKS.search(text) else "'" if _is_like_a_number(text) else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    def of_anything(self: Any, value: Any) -> Any:
        return self.of_text(str(value) if isinstance(value, PurePath) else repr(value))


class _YamlDumper(_Representation, _Dumper):  # type: ignore[misc]  # which of two it is, is known at run time only
    pass


class _PurePythonDumper(_Representation, yaml.SafeDumper):
    pass


for _dumper in (_YamlDumper, _PurePythonDumper):
    _dumper.add_representer(str, _dumper.of_text)
    _dumper.add_multi_representer(object, _dumper.of_anything)
