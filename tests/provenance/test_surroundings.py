"""The environment variables that are recorded, and where the app's source is looked for."""

import os
from pathlib import Path

import pytest

from hydra_callback_kit.callbacks.provenance_callback import ProvenanceCallback
from hydra_callback_kit.configs.redaction import Redaction
from hydra_callback_kit.hooks.parameters import ParameterError
from hydra_callback_kit.provenance.surroundings import environment_variables, source_directory


def test_only_what_was_asked_for_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names and patterns; secret names without their values, whatever asked for them; what is not set is null."""
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setenv("SLURM_API_KEY", "xyz")
    monkeypatch.setenv("OTHER", "no")
    found = environment_variables(["SLURM_*", "NOT_SET", "ALSO_NOT_*"], Redaction())
    assert {name: found[name] for name in ("SLURM_JOB_ID", "SLURM_API_KEY", "NOT_SET")} == {
        "SLURM_JOB_ID": "7",
        "SLURM_API_KEY": Redaction().mark(os.environ["SLURM_API_KEY"]),
        "NOT_SET": None,
    }
    assert all(name.startswith("SLURM_") for name in found if name != "NOT_SET")


def test_an_installed_program_is_looked_for_where_it_was_started(tmp_path: Path) -> None:
    """Pytest, say, is no source of the user's."""
    assert source_directory(str(tmp_path)) == str(tmp_path)


@pytest.mark.parametrize(
    ("parameter", "given"),
    [
        ("environment", "HOME"),
        ("environment", ["HOME", " "]),
        ("max_patch_bytes", -1),
        ("git_timeout_s", 0),
        ("git_timeout_s", float("nan")),
    ],
)
def test_a_bad_parameter_is_refused(parameter: str, given: object) -> None:
    """As the callback is built, by its name."""
    with pytest.raises(ParameterError) as raised:
        ProvenanceCallback(**{parameter: given})
    assert raised.value.parameter == parameter
