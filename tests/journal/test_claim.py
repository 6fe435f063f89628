"""Claims: who has a directory, decided in one step."""

import errno
import json
import os
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from hydra_callback_kit.journal import claim
from hydra_callback_kit.journal.batch_job import Start
from hydra_callback_kit.journal.claim import Claim, ClaimNotReadableError, claim_of, lay_claim
from hydra_callback_kit.journal.identity import RunIdentity
from hydra_callback_kit.journal.process import this_process


def a_claim(root: Path, run_id: str = "a") -> Claim:
    """A claim of this process."""
    return claim_of(RunIdentity(run_id, root, "RUN"), ["python", "app.py", "a b"])


def holders(root: Path) -> list[str]:
    """What lies in the journal's directory."""
    return sorted(file.name for file in (root / ".callbacks").iterdir())


def test_the_first_claim_holds_and_is_its_owners_again(tmp_path: Path) -> None:
    """A second run is asked about it; the owner is not."""
    mine, theirs = a_claim(tmp_path), a_claim(tmp_path, "b")
    assert lay_claim(tmp_path, mine, lambda holder: holder is None)
    assert lay_claim(tmp_path, mine, pytest.fail)
    seen: list[Claim | None] = []
    assert not lay_claim(tmp_path, theirs, lambda holder: bool(seen.append(holder)))
    assert seen == [mine]
    assert mine.command == "python app.py 'a b'"
    assert holders(tmp_path) == ["claim-1.json"]


def test_who_comes_second_while_it_looks_asks_again(tmp_path: Path) -> None:
    """Another claim appears between the look and the claim: the look is taken again, and nothing is lost."""
    mine, theirs = a_claim(tmp_path), a_claim(tmp_path, "b")
    asked: list[Claim | None] = []

    def is_free(holder: Claim | None) -> bool:
        asked.append(holder)
        if holder is None:
            assert lay_claim(tmp_path, theirs, lambda _: True)
        return holder is None

    assert not lay_claim(tmp_path, mine, is_free)
    assert asked == [None, theirs]
    assert holders(tmp_path) == ["claim-1.json"]


A_CLAIM = {
    "run_id": "a",
    "user": "me",
    "host": "here",
    "pid": 1,
    "born": None,
    "command": "app.py",
    "claimed_at": "now",
    "start": None,
}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "1",
        '"text"',
        "null",
        '{"run_id": "a"}',
        "\0" * 300,
        "[" * 100_000,
        "9" * 10_000,
        "\udcff",
        json.dumps(A_CLAIM)[:-1],
        *(
            json.dumps({**A_CLAIM, **wrong})
            for wrong in (
                {"more": 1},
                {"run_id": None},
                {"host": 1},
                {"pid": "1"},
                {"pid": True},
                {"pid": 0},
                {"pid": -1},
                {"pid": 1 << 31},
                {"pid": 10**30},
                {"pid": float("inf")},
                {"born": 1},
                {"command": ["app.py"]},
                {"start": "7"},
                {"start": []},
                {"start": ["7", float("inf")]},
                {"start": ["7", [1, float("inf")]]},
                {"start": [7, [1], 1]},
            )
        ),
    ],
)
def test_a_claim_that_cannot_be_read_is_somebodys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Half a claim, or another program's: nobody else gets the directory, and the error names the file."""
    monkeypatch.setattr(claim, "_PAUSES_S", (0.001,))
    (tmp_path / ".callbacks").mkdir()
    (tmp_path / ".callbacks" / "claim-4.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ClaimNotReadableError) as raised:
        lay_claim(tmp_path, a_claim(tmp_path), lambda holder: True)
    assert raised.value.file == tmp_path / ".callbacks" / "claim-4.json"
    assert str(raised.value).endswith("), so the directory may be another run's. Remove that file if it is not")
    assert "None" not in str(raised.value)
    assert holders(tmp_path) == ["claim-4.json"]


def test_whom_to_ask_is_said_as_far_as_it_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file may have no owner of a name."""

    def nobody(_: Path) -> str:
        raise KeyError

    monkeypatch.setattr(Path, "owner", nobody)
    in_words = f"{tmp_path} cannot be read (%s), so the directory may be another run's. %s"
    kept_out, odd = PermissionError(errno.EACCES, "Permission denied"), ValueError("it is no claim")
    assert str(ClaimNotReadableError(tmp_path, kept_out)) == in_words % (
        "Permission denied",
        "Ask who made it, or make it readable",
    )
    assert str(ClaimNotReadableError(tmp_path, odd)) == in_words % ("it is no claim", "Remove that file if it is not")


def test_what_starts_a_process_again_is_read_as_it_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is this process's; a directory that is not there yet is made."""
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setenv("SLURM_RESTART_COUNT", "2")
    monkeypatch.setattr(claim, "user_name", lambda: None)
    mine = a_claim(tmp_path)
    process, start = this_process(), Start("slurm 7", (2, -1, 0))
    assert (mine.start, mine.user, mine.process) == (start, "?", process)
    assert datetime.now(timezone.utc) - datetime.fromisoformat(mine.claimed_at) < timedelta(minutes=5)
    root = tmp_path / "a" / "b"
    assert lay_claim(root, mine, lambda holder: holder is None)
    seen: list[Claim | None] = []
    assert not lay_claim(root, a_claim(tmp_path, "b"), lambda holder: bool(seen.append(holder)))
    assert seen == [mine]
    text = (root / ".callbacks" / "claim-1.json").read_text("ascii")
    assert text.startswith('{\n  "run_id": "a",\n')
    assert text.endswith("\n}\n")


def made_as(kind: str, file: Path) -> None:
    """Something else than a file in the place of a claim."""
    if kind == "directory":
        file.mkdir()
    elif kind == "FIFO":
        os.mkfifo(file)
    elif kind == "large file":
        file.touch()
        os.truncate(file, 10**12)
    else:
        target = file.with_name("target")
        if kind == "link":
            target.write_text(json.dumps(A_CLAIM))
        file.symlink_to(target)


@pytest.mark.parametrize("number", ["4", "9" * 15, "9" * 16, "9" * 200])
@pytest.mark.parametrize("kind", ["directory", "FIFO", "large file", "link", "link to nothing"])
def test_what_is_named_like_a_claim_is_somebodys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, number: str
) -> None:
    """Nobody waits for a FIFO, follows a link, or reads a terabyte."""
    monkeypatch.setattr(claim, "_PAUSES_S", (0.001,))
    (tmp_path / ".callbacks").mkdir()
    made_as(kind, tmp_path / ".callbacks" / f"claim-{number}.json")
    with pytest.raises(ClaimNotReadableError, match="Remove that file if it is not"):
        lay_claim(tmp_path, a_claim(tmp_path), lambda holder: True)
    assert "claim-5.json" not in holders(tmp_path)


def denied(*_: object) -> None:
    """What another user's directory says."""
    raise PermissionError(errno.EACCES, "Permission denied")


def test_a_directory_that_cannot_be_listed_is_somebodys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not say that there is no claim; whom to ask is said."""
    (tmp_path / ".callbacks").mkdir()
    with monkeypatch.context() as patched:
        patched.setattr(claim.os, "listdir", denied)
        patched.setattr(Path, "owner", lambda _: "alice")
        with pytest.raises(ClaimNotReadableError) as raised:
            lay_claim(tmp_path, a_claim(tmp_path), lambda holder: True)
    assert str(raised.value) == (
        f"{tmp_path / '.callbacks'} cannot be read (Permission denied; it belongs to alice), so the directory may be "
        "another run's. Ask alice, or make it readable"
    )
    assert holders(tmp_path) == []


@pytest.mark.parametrize("kind", ["file", "link to nothing", "link to itself"])
def test_what_is_in_the_place_of_the_journal_is_an_error(tmp_path: Path, kind: str) -> None:
    """Nobody gets the directory."""
    journal = tmp_path / ".callbacks"
    if kind == "file":
        journal.write_text("mine")
    else:
        journal.symlink_to(journal if kind == "link to itself" else "nowhere")
    with pytest.raises(OSError, match=r"\.callbacks"):
        lay_claim(tmp_path, a_claim(tmp_path), lambda holder: True)


def test_the_highest_number_holds(tmp_path: Path) -> None:
    """Numbers may be left out, ten comes after nine, and other names than ours are no claims."""
    (tmp_path / ".callbacks").mkdir()
    for number, run_id in (("2", "two"), ("9", "nine"), ("10", "ten"), ("0011", "x"), ("12 (copy)", "x"), ("0", "x")):
        (tmp_path / ".callbacks" / f"claim-{number}.json").write_text(json.dumps({**A_CLAIM, "run_id": run_id}))
    asked: list[Claim | None] = []
    assert lay_claim(tmp_path, a_claim(tmp_path), lambda holder: asked.append(holder) is None)
    assert [holder and holder.run_id for holder in asked] == ["ten"]
    assert "claim-11.json" in holders(tmp_path)


def test_a_listing_may_be_older_than_the_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A claim that has vanished since holds no more; one that is not yet listed holds as soon as its number is tried."""
    listings = [["claim-7.json"], [], []]
    monkeypatch.setattr(claim.os, "listdir", lambda _: listings.pop(0))
    (tmp_path / ".callbacks").mkdir()
    (tmp_path / ".callbacks" / "claim-1.json").write_text(json.dumps({**A_CLAIM, "run_id": "b"}))
    asked: list[Claim | None] = []
    assert not lay_claim(tmp_path, a_claim(tmp_path), lambda holder: asked.append(holder) is None and holder is None)
    assert [holder and holder.run_id for holder in asked] == [None, "b"]
    assert not listings


def test_a_restart_is_of_the_same_and_later(tmp_path: Path) -> None:
    """Another job, the same start, a later step of it, or nothing that starts anything again are none."""
    first = replace(a_claim(tmp_path), start=Start("slurm 7", (0, 1, 0)))
    for again in ((1, -1, 0), (0, 1, 1), (1, 0, 0)):
        assert replace(first, start=Start("slurm 7", again)).is_restart_of(first)
    for other in (Start("slurm 7", (0, 1, 0)), Start("slurm 7", (0, 2, 0)), Start("slurm 8", (1, 0, 0)), None):
        assert not replace(first, start=other).is_restart_of(first)
    assert not first.is_restart_of(replace(first, start=None))
    assert first.process.pid == os.getpid()


def test_a_claim_of_a_number_that_no_run_gives_is_named(tmp_path: Path) -> None:
    """With what is wrong; one digit less is a number like any other."""
    (tmp_path / f"claim-{'9' * 15}.json").touch()
    assert claim._highest(tmp_path) == 10**15 - 1
    (tmp_path / f"claim-1{'0' * 15}.json").touch()
    with pytest.raises(ClaimNotReadableError, match="no claim has so high a number") as raised:
        claim._highest(tmp_path)
    assert f"claim-1{'0' * 15}.json" in str(raised.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"[]", "it is no claim, or half of one"),
        (b"{}", "it is no claim, or half of one"),
        (json.dumps({**dict.fromkeys(claim._SHAPE, "x"), "start": None}).encode(), "it is no claim"),
        (
            json.dumps({**dict.fromkeys(claim._SHAPE, "x"), "pid": 1, "born": None, "start": ["x"]}).encode(),
            "it is no claim",
        ),
    ],
)
def test_what_is_no_claim_is_said_to_be_none(text: bytes, message: str) -> None:
    """In words that a user reads."""
    with pytest.raises(ValueError, match=f"^{message}$"):
        claim._parse(text)


def test_a_directory_in_the_place_of_a_claim_is_said_to_be_none(tmp_path: Path) -> None:
    """It is not opened, nor is a file that is far too long."""
    with pytest.raises(ValueError, match=r"^it is no claim$"):
        claim._read(tmp_path)
