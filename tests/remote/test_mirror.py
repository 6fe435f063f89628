"""Runs that are read from a store."""

import pickle
from pathlib import Path

import fsspec
import pytest
from hook_calls import call_job, call_run, config_of, job_of

from hydra_callback_kit import UploadCallback, load_run
from hydra_callback_kit.journal.format import JournalNotFoundError
from hydra_callback_kit.journal.reader import run_ids
from hydra_callback_kit.remote.mirror import is_mirror, mirror, named


def uploaded(root: Path, to: str) -> str:
    """A single run that was sent somewhere, by its hooks; where it is."""
    root.mkdir()
    (root / "model").write_text("weights")
    call_run(UploadCallback(to=to), config_of(root))
    return f"{to}/{run_ids(root)[-1]}"


def test_a_run_in_the_memory_of_this_process(tmp_path: Path) -> None:
    """It is read as one that lies here; what is printed of it names the store."""
    url = uploaded(tmp_path / "out", "memory://runs")
    run = load_run(url)
    assert (run.status, run.jobs[0].return_value) == ("COMPLETED", 1)
    assert run.facts["uploaded"]["to"] == url
    assert run.facts["uploaded"]["complete"] is True
    assert is_mirror(run.root)
    assert repr(run).endswith(f"({url})>")
    assert named(f"at {run.root}/0") == f"at {url}/0"
    assert not (run.root / "model").exists()  # only what is read
    assert fsspec.filesystem("memory").cat_file(f"{url.removeprefix('memory:/')}/model") == b"weights"
    assert mirror(url) == mirror(f"{url}/")


def test_several_below_one_place(tmp_path: Path) -> None:
    """Each has a directory of its own there, also if they start at once from directories of one name."""
    urls = [uploaded(tmp_path / name, f"file://{tmp_path}/there") for name in ("a", "b")]
    directory = mirror(f"file://{tmp_path}/there")
    assert sorted(each.name for each in directory.iterdir()) == sorted(url.rpartition("/")[2] for url in urls)


def test_a_run_that_is_not_whole_is_none(tmp_path: Path) -> None:
    """Its journal is sent when all has ended; a run that was copied there by hand has no mark, and is read."""
    callback, config = UploadCallback(to=f"file://{tmp_path}/there"), config_of(tmp_path / "out", mode="MULTIRUN")
    (tmp_path / "out").mkdir()
    callback.on_multirun_start(config=config)
    job = job_of(config, num=0, id="0")
    call_job(callback, job)
    url = f"file://{tmp_path}/there/{run_ids(tmp_path / 'out')[0]}"
    with pytest.raises(JournalNotFoundError, match="not whole") as raised:
        load_run(url)
    assert str(pickle.loads(pickle.dumps(raised.value))) == str(raised.value)
    with pytest.raises(FileNotFoundError, match="holds no run"):
        load_run(f"file://{tmp_path}/nothing")
    callback.on_multirun_end(config=config)


def test_nobody_is_shown_a_password(tmp_path: Path) -> None:
    """Neither of a run that is there, nor of one that is not."""
    url = uploaded(tmp_path / "out", "memory://me:hunter-two@host/runs")
    assert "hunter-two" not in repr(load_run(url))
    with pytest.raises(FileNotFoundError) as raised:
        load_run(f"{url}x")
    assert "hunter-two" not in str(raised.value)
    journal = "".join(file.read_text("utf-8") for file in (tmp_path / "out" / ".callbacks").iterdir())
    assert "hunter-two" not in journal


def test_one_that_was_copied_by_hand(tmp_path: Path) -> None:
    """It has no mark."""
    root = tmp_path / "out"
    uploaded(root, "memory://elsewhere")
    assert load_run(f"file://{root}").status == "COMPLETED"
