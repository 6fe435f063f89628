"""What Hydra has saved with a job tells what is secret in its directory."""

from pathlib import Path

import pytest

from hydra_callback_kit.configs.redaction import Redaction
from hydra_callback_kit.configs.saved_secrets import learn_saved_secrets


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A job's directory with the files of Hydra's."""
    (tmp_path / ".hydra").mkdir()
    (tmp_path / ".hydra" / "config.yaml").write_text("db:\n  password: hunter-two\nx: 1\n")
    (tmp_path / ".hydra" / "hydra.yaml").write_text("hydra:\n  job:\n    env_set: {API_TOKEN: env-secret}\n")
    (tmp_path / ".hydra" / "overrides.yaml").write_text("- +more.token=from-an-override\n")
    return tmp_path


def test_secrets_are_learnt_from_all_of_them(directory: Path) -> None:
    """The config, Hydra's own, and the overrides."""
    redaction = Redaction()
    learn_saved_secrets(directory, redaction)
    assert sorted(redaction.known()) == ["env-secret", "from-an-override", "hunter-two"]


def test_what_cannot_be_read_is_an_error(directory: Path) -> None:
    """Nobody knows what is secret then."""
    (directory / ".hydra" / "config.yaml").write_text("a: [1\n")
    with pytest.raises(ValueError, match=r"config\.yaml"):
        learn_saved_secrets(directory, Redaction())
