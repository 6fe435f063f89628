"""Which files of a job are sent, and that no secret is in them."""

from pathlib import Path

import pytest

from hydra_callback_kit.configs.redaction import Redaction
from hydra_callback_kit.configs.saved_secrets import learn_saved_secrets
from hydra_callback_kit.trackers import artifacts
from hydra_callback_kit.trackers.artifacts import files_of, gathered


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """A job's directory."""
    directory = tmp_path / "job"
    (directory / ".hydra").mkdir(parents=True)
    (directory / ".hydra" / "config.yaml").write_text("db:\n  password: hunter-two\nx: 1\n")
    (directory / ".hydra" / "hydra.yaml").write_text("hydra:\n  job:\n    env_set: {API_TOKEN: env-secret}\n")
    (directory / ".hydra" / "overrides.yaml").write_text("- +more.token=from-an-override\n")
    (directory / "app.log").write_text("connects with hunter-two, env-secret and from-an-override\n")
    (directory / "model.bin").write_bytes(b"\xff\x00 hunter-two")
    (tmp_path / "outside.log").write_text("not ours")
    (directory / "link.log").symlink_to(tmp_path / "outside.log")
    return directory


def names(directory: Path, *patterns: str) -> list[str]:
    """The files, relative to the directory."""
    return [file.relative_to(directory).as_posix() for file in files_of(directory, patterns)]


def test_globs_and_directories(job: Path) -> None:
    """A directory stands for what is in it; a link is left out, and no file comes twice."""
    saved = [".hydra/config.yaml", ".hydra/hydra.yaml", ".hydra/overrides.yaml"]
    assert names(job, ".hydra", "*.log", "app.*") == [*saved, "app.log"]
    assert names(job, "nothing") == []


@pytest.mark.parametrize("pattern", ["*.log", "**", "**/*", "linked.log/*", "linked.log/**/*.log", "up/*", ".hydra/../up"])
def test_no_link_leads_out_of_the_directory(job: Path, pattern: str) -> None:
    """Neither one to a directory, wherever it stands, nor one to what is above; nor does one lead round and round."""
    (job.parent / "elsewhere" / "sub").mkdir(parents=True)
    (job.parent / "elsewhere" / "sub" / "private.log").write_text("not ours either")
    (job / "linked.log").symlink_to(job.parent / "elsewhere")
    (job / "up").symlink_to("..")
    (job / ".hydra" / "again").symlink_to("../.hydra")
    assert not {name for name in names(job, pattern) if name.split("/")[0] in ("linked.log", "up", "..") or "again" in name}


def test_a_directory_behind_a_link_is_itself(job: Path) -> None:
    """Where the whole sweep lies behind a link, its files are sent."""
    link = job.parent / "latest"
    link.symlink_to(job)
    assert names(link, "*.log") == ["app.log"]


def test_no_secret_is_sent(job: Path) -> None:
    """Another process knows the secrets from what Hydra saved; what is no text stays as it is."""
    redaction = Redaction()
    learn_saved_secrets(job, redaction)
    with gathered(job, [".hydra", "*.log", "*.bin"], redaction.of_text) as directory:
        assert directory is not None
        sent = {file.relative_to(directory).as_posix(): file.read_bytes() for file in directory.rglob("*") if file.is_file()}
    assert not directory.exists()
    texts = b"".join(content for name, content in sent.items() if name != "model.bin")
    for secret in (b"hunter-two", b"env-secret", b"from-an-override"):
        assert secret not in texts
    assert b"x: 1" in sent[".hydra/config.yaml"]
    assert sent["model.bin"] == b"\xff\x00 hunter-two"
    assert (job / "app.log").read_text().startswith("connects with hunter-two")


def test_a_large_file_is_not_copied(job: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is linked to."""
    monkeypatch.setattr(artifacts, "MAX_SEARCHED", 3)
    with gathered(job, ["model.bin"], str) as directory:
        assert directory is not None
        assert (directory / "model.bin").is_symlink()
        assert (directory / "model.bin").read_bytes() == b"\xff\x00 hunter-two"


def test_nothing_to_send(job: Path) -> None:
    """There is no directory then."""
    with gathered(job, ["nothing"], str) as directory:
        assert directory is None
