"""Which packages are installed, without reading what each says of itself."""

import re
from importlib.metadata import distributions
from pathlib import Path

from hydra_callback_kit.provenance.packages import installed_packages


def test_they_are_what_importlib_finds() -> None:
    """In the environment of the tests: the same packages in the same versions."""
    expected: dict[str, str] = {}
    for distribution in distributions():
        name = re.sub(r"[-_.]+", "-", distribution.metadata["Name"]).lower()
        expected.setdefault(name, distribution.version)
    assert installed_packages() == expected
    assert list(expected)


def test_every_way_to_be_installed(tmp_path: Path) -> None:
    """By wheel, by distutils, beside the source; the first on the path counts; what pip left behind does not."""
    first, second = tmp_path / "first", tmp_path / "second"
    for name in ("torch-2.1.0+cu118.dist-info", "~orch-1.0.dist-info", "Zope.Interface-7.0.dist-info", "notes.txt"):
        (first / name).mkdir(parents=True)
    for name in ("torch-1.0.dist-info", "old_style-1.2.3-py3.11.egg-info", "mine.egg-info", "empty.egg-info"):
        (second / name).mkdir(parents=True)
    (second / "mine.egg-info" / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 0.1.dev3\n", "utf-8")
    (second / "a_file-0.5.egg-info").write_text("", "utf-8")
    assert installed_packages([str(first), str(tmp_path / "python.zip"), str(second)]) == {
        "a-file": "0.5",
        "empty": "",
        "mine": "0.1.dev3",
        "old-style": "1.2.3",
        "torch": "2.1.0+cu118",
        "zope-interface": "7.0",
    }
