"""The record of what was written for people, and what is known by it."""

import logging
import stat
from pathlib import Path

import pytest
from hook_calls import config_of
from intruders import INTRUDERS, looked_at
from omegaconf import DictConfig

from hydra_callback_kit.configs.identity import identify_run
from hydra_callback_kit.hooks import own_files
from hydra_callback_kit.hooks.own_files import own_file, record_job_files, remove_own_file, write_own_file
from hydra_callback_kit.journal import journal_lines
from hydra_callback_kit.journal.fingerprint import fingerprint_of
from hydra_callback_kit.journal.journal_lines import facts_in
from hydra_callback_kit.journal.reader import read_run
from hydra_callback_kit.journal.safe_log import SafeLogger

log = SafeLogger("hydra_callback_kit.test")


def another_process() -> None:
    """What this one remembers is forgotten."""
    own_files._known.cache_clear()


def write(config: DictConfig, content: str, name: str = "r.csv") -> Path:
    """Writes a file for people."""
    return write_own_file(config, name, content, log)


def kept_in(directory: Path) -> dict[str, str]:
    """What was set aside."""
    return {file.name: file.read_text("utf-8") for file in sorted(directory.glob("*.bak*"))}


def test_what_we_wrote_is_replaced_by_whichever_run(tmp_path: Path) -> None:
    """In one run again and again, in another run of another process, and an earlier version that was put back."""
    for content in ("one", "two", "three"):
        write(config_of(tmp_path), content)
    another_process()
    write(config_of(tmp_path), "four")
    (tmp_path / "r.csv").write_text("two", "utf-8")
    assert write(config_of(tmp_path), "five").read_text("utf-8") == "five"
    assert kept_in(tmp_path) == {}
    assert "files" not in read_run(tmp_path).facts  # it is not the user's


def test_what_a_person_edited_is_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Each time, also where it is as long as before; the log says so."""
    for written, edited in (("one", "ONE"), ("two", "two and a half")):
        write(config_of(tmp_path), written).write_text(edited, "utf-8")
        another_process()
    write(config_of(tmp_path), "three")
    assert kept_in(tmp_path) == {"r.csv.bak": "ONE", "r.csv.bak2": "two and a half"}
    told = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert told == [
        f"{tmp_path}/r.csv is not what hydra-callback-kit wrote: it is kept as {tmp_path}/r.csv.bak{number}"
        for number in ("", "2")
    ]


def test_what_we_wrote_under_another_name_is_not_ours_here(tmp_path: Path) -> None:
    """It was copied there by somebody."""
    write(config_of(tmp_path), "one", "a.csv")
    (tmp_path / "r.csv").write_text("one", "utf-8")
    write(config_of(tmp_path), "two")
    assert kept_in(tmp_path) == {"r.csv.bak": "one"}


@pytest.mark.parametrize("intruder", INTRUDERS)
def test_whatever_lies_there_is_kept(tmp_path: Path, intruder: str) -> None:
    """Also where we wrote a file of that name before."""
    write(config_of(tmp_path), "before").unlink()
    INTRUDERS[intruder](tmp_path / "r.csv")
    before = looked_at(tmp_path / "r.csv")
    remove_own_file(config_of(tmp_path), "r.csv")
    assert looked_at(tmp_path / "r.csv") == before
    write(config_of(tmp_path), "after")
    assert looked_at(tmp_path / "r.csv.bak") == before
    assert looked_at(tmp_path / "r.csv") == (stat.S_IFREG, b"after")


def test_where_no_line_can_be_written_a_run_knows_its_own_and_the_next_one_keeps_it(tmp_path: Path) -> None:
    """A file that is written again and again leaves nothing behind; what is not on record is somebody else's."""
    (tmp_path / ".callbacks").write_text("in the way", "utf-8")
    config = config_of(tmp_path)
    for content in ("one", "two", "three"):
        write(config, content)
    assert kept_in(tmp_path) == {}
    another_process()
    write(config_of(tmp_path), "four")
    assert kept_in(tmp_path) == {"r.csv.bak": "three"}


def test_a_file_is_on_record_before_it_is_in_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is killed in between leaves what is known."""
    config = config_of(tmp_path)
    write(config, "one")

    def stop(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.replace", stop)
    with pytest.raises(KeyboardInterrupt):
        write(config, "two")
    assert len(list(facts_in(tmp_path, "files"))) == 2
    assert sorted(file.name for file in tmp_path.iterdir()) == [".callbacks", "r.csv"]


def test_only_what_is_ours_is_removed(tmp_path: Path) -> None:
    """What nobody has edited."""
    config = config_of(tmp_path)
    remove_own_file(config, "r.csv")
    write(config, "one").write_text("ONE", "utf-8")
    remove_own_file(config, "r.csv")
    assert (tmp_path / "r.csv").read_text("utf-8") == "ONE"
    (tmp_path / "r.csv").write_text("one", "utf-8")
    remove_own_file(config, "r.csv")
    assert not (tmp_path / "r.csv").exists()


def test_the_journal_is_read_once_for_all_jobs_and_only_if_something_lies_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sweep's directory is used again: every job finds the file of the one before it."""
    config = config_of(tmp_path)
    run = identify_run(config)
    asked: list[Path] = []
    monkeypatch.setattr(journal_lines, "facts_in", lambda root, name: asked.append(root) or facts_in(root, name))
    with own_file(config, "first.csv", log) as temporary:
        temporary.touch()
    assert asked == []
    for number in range(3):
        file = tmp_path / str(number) / "resources.csv"
        file.parent.mkdir()
        file.write_text(f"{number}", "utf-8")
        record_job_files(config, {"resources": {}}, {file.name: fingerprint_of(file)})
    for again in ("after the sweep", "and in the same process"):
        for number in range(3):
            file = tmp_path / str(number) / "resources.csv"
            own_files.make_room(run, log, file)
            assert not file.exists()
            assert kept_in(file.parent) == {}
            file.write_text(f"{again} {number}", "utf-8")
            record_job_files(config, {"resources": {}}, {file.name: fingerprint_of(file)})
    for number in range(3):
        file = tmp_path / str(number) / "resources.csv"
        file.write_text("mine", "utf-8")
        own_files.make_room(run, log, file)
        assert kept_in(file.parent) == {"resources.csv.bak": "mine"}
    assert asked == [tmp_path]


def test_of_two_runs_in_one_directory_the_last_one_replaces_what_the_other_wrote(tmp_path: Path) -> None:
    """Whatever it has asked the journal before."""
    one, another = config_of(tmp_path), config_of(tmp_path)
    (tmp_path / "first.csv").write_text("mine", "utf-8")
    for config in (one, another):
        write(config, "", "first.csv")
    for number, config in enumerate((one, another, one, another)):
        write(config, f"{number}")
    assert kept_in(tmp_path) == {"first.csv.bak": "mine"}


def test_a_key_that_looks_secret_hides_no_fingerprint(tmp_path: Path) -> None:
    """A file may be called `tokens.csv`."""
    config = config_of(tmp_path, {"password": "swordfish"})
    record_job_files(config, {"resources": {"text": "swordfish"}}, {"tokens.csv": "3:abc"})
    assert list(facts_in(tmp_path, "files")) == [{"tokens.csv": "3:abc"}]
    assert "swordfish" not in str(list(facts_in(tmp_path, "resources")))
