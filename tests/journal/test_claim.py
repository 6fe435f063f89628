"""Claims: who has a directory, decided in one step."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from hydra_callback_kit.journal import claim
from hydra_callback_kit.journal.claim import Claim, ClaimNotReadableError, claim_of, lay_claim
from hydra_callback_kit.journal.identity import RunIdentity


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


@pytest.mark.parametrize("text", ["{", "", "[]", '{"run_id": "a"}'])
def test_a_claim_that_cannot_be_read_is_somebodys(tmp_path: Path, text: str) -> None:
    """Half a claim, or another program's: nobody else gets the directory, and the error names the file."""
    (tmp_path / ".callbacks").mkdir()
    (tmp_path / ".callbacks" / "claim-4.json").write_text(text)
    with pytest.raises(ClaimNotReadableError) as raised:
        lay_claim(tmp_path, a_claim(tmp_path), lambda holder: holder is None)
    assert raised.value.file == tmp_path / ".callbacks" / "claim-4.json"
    assert holders(tmp_path) == ["claim-4.json"]


def test_a_file_system_without_links_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The claim is then written under its own name, which must not be taken."""

    def no_links(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(claim.os, "link", no_links)
    assert lay_claim(tmp_path, a_claim(tmp_path), lambda holder: holder is None)
    assert not lay_claim(tmp_path, a_claim(tmp_path, "b"), lambda holder: holder is None)
    assert holders(tmp_path) == ["claim-1.json"]


def test_a_requeue_has_the_same_job_and_a_later_start(tmp_path: Path) -> None:
    """Another job, the same start, or no batch system at all are no requeue."""
    first = replace(a_claim(tmp_path), batch_job=("7", 0))
    assert replace(first, batch_job=("7", 1)).is_requeue_of(first)
    for other in (("7", 0), ("8", 1), None):
        assert not replace(first, batch_job=other).is_requeue_of(first)
    assert not first.is_requeue_of(replace(first, batch_job=None))
    assert first.process.pid == os.getpid()
