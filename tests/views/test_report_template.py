"""The page's template is compiled once, and a page is written wherever that cannot be kept."""

import importlib.util
import sys
from pathlib import Path

import jinja2
import pytest

from hydra_callback_kit.views.report import template


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where Python keeps what it compiles of the package."""
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    directory = Path(importlib.util.cache_from_source(template.__file__)).parent
    directory.mkdir(parents=True)
    return directory


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The templates that Jinja itself has compiled."""
    names: list[str] = []
    compile_ = jinja2.Environment.compile

    def counted(self: jinja2.Environment, source: str, name: str, *more: object) -> object:
        names.append(name)
        return compile_(self, source, name, *more)  # type: ignore[call-overload]  # whatever it takes, it is passed on

    monkeypatch.setattr(jinja2.Environment, "compile", counted)
    return names


def test_it_is_compiled_once(kept: Path, compiled: list[str]) -> None:
    """Another environment, as that of another process, gets what is kept."""
    template.page_template()
    assert compiled == ["template.html.j2"]
    template.page_template()
    assert compiled == ["template.html.j2"]
    assert [file.suffix for file in kept.iterdir()] == [".cache"]


@pytest.mark.parametrize("content", [b"", b"no bytecode"])
@pytest.mark.parametrize("size", [0, 20])
def test_what_is_kept_and_broken_is_compiled_again(kept: Path, compiled: list[str], content: bytes, size: int) -> None:
    """Cut off, or another file."""
    template.page_template()
    (file,) = kept.iterdir()
    file.write_bytes(file.read_bytes()[:size] + content)
    template.page_template()
    assert len(compiled) == 2
    template.page_template()
    assert len(compiled) == 2


def test_nothing_is_kept_where_it_cannot_be_or_may_not(
    kept: Path, compiled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file where the directory would be, no directory, and PYTHONDONTWRITEBYTECODE."""
    kept.rmdir()
    template.page_template()
    kept.write_bytes(b"")
    template.page_template()
    kept.unlink()
    kept.mkdir()
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    template.page_template()
    assert len(compiled) == 3
    assert list(kept.iterdir()) == []
