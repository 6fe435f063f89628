"""The config of the best on the report: what the jobs share, and what is not as before their overrides."""

import os
from pathlib import Path
from typing import Any

import pytest
from report_pages import a_run, job, page_of

from hydra_callback_kit.journal.identity import JobIdentity, RunIdentity
from hydra_callback_kit.journal.journal_lines import latest_facts
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.journal.writer import write_line
from hydra_callback_kit.views.report import best_config as module
from hydra_callback_kit.views.report.best_config import best_config

RUN = "20260101T000000-aa"


def write(root: Path, num: int | None, config: Any, run_id: str = RUN) -> None:
    """States the config of a job, or of the sweep."""
    run = RunIdentity(run_id, root, "MULTIRUN")
    at = None if num is None else JobIdentity(run, num, str(num), os.getpid(), str(num), "app", (), root / str(num))
    write_line(run, "run_facts" if at is None else "job_facts", {"config": config}, at)


def jobs_of(root: Path, *nums: int) -> list[JobRecord]:
    """Jobs that differ in their seed."""
    return [job(num, "m=a", f"seed={num}", value=1.0, root=root) for num in nums]


def test_a_setting_shares_a_config_but_for_its_seeds(tmp_path: Path) -> None:
    """What depends on the seed varies as well; what is not as in the sweep's config is named, what has gone, too."""
    write(tmp_path, None, {"m": {"name": "b", "old": 1}, "lr": 0.1, "seed": 0, "dir": "0", "same": [1]})
    for num in (3, 30):
        write(tmp_path, num, {"m": {"name": "a", "new": None}, "lr": 0.1, "seed": num, "dir": f"out/{num}", "same": [1]})
    found = best_config(a_run(), jobs_of(tmp_path, 3, 7, 30), ["seed"])
    assert found is not None
    assert found.text == "m:\n  name: a\n  new: null\nlr: 0.1\nseed: (varies)\ndir: (varies)\nsame:\n- 1\n"
    assert found.differences == [("m.name", "b", "a"), ("m.new", "(none)", "null"), ("m.old", "1", "(none)")]
    alone = best_config(a_run(), jobs_of(tmp_path, 3))
    assert alone is not None
    assert "seed: 3" in alone.text
    assert alone.differences == [*found.differences[:2], ("seed", "0", "3"), ("dir", "0", "out/3"), found.differences[2]]


def test_of_the_journal_only_these_configs_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last that was said of a job counts; other jobs and runs are not parsed, and a text that looks like one is none."""
    for num in range(20):
        write(tmp_path, num, {"x": num, "text": '"job":3,"event":"run_facts"'})
    write(tmp_path, 3, {"x": "last"})
    write(tmp_path, 3, {"x": "of another run"}, "20260102T000000-bb")
    parsed = []
    parse_line = module.latest_facts.__globals__["parse_line"]
    monkeypatch.setitem(module.latest_facts.__globals__, "parse_line", lambda text: parsed.append(text) or parse_line(text))
    assert latest_facts(tmp_path, RUN, "config", [3]) == {3: {"x": "last"}}
    assert latest_facts(tmp_path, RUN, "config", [99]) == {}
    parsed.clear()
    write(tmp_path, 4, {"x": 4})
    assert latest_facts(tmp_path, RUN, "config", [4])[4] == {"x": 4}
    assert len(parsed) == 2


def test_without_a_record_hydra_s_own_file_is_shown(tmp_path: Path) -> None:
    """Without its secrets, as it is written; what an interpolation comes to is not compared; without a base nothing is."""
    hydra = tmp_path / "0" / ".hydra"
    hydra.mkdir(parents=True)
    text = "lr: 1e-3\npassword: hunter2\nurl: http://me:hunter2@there\ndir: ${lr}\nlong: hunters\n"
    (hydra / "config.yaml").write_text(text, "utf-8")
    found = best_config(a_run(), jobs_of(tmp_path, 0))
    assert found is not None
    assert "hunter2" not in found.text
    assert "lr: 0.001\n" in found.text
    assert "dir: ${lr}\n" in found.text
    assert found.differences is None
    write(tmp_path, None, {"lr": 0.1, "dir": "0.1", "password": "<redacted 1>", "url": "http://me:<redacted 1>@there"})
    found = best_config(a_run(), jobs_of(tmp_path, 0))
    assert found is not None
    assert found.differences is not None
    assert [key for key, *_ in found.differences] == ["lr", "long"]
    found = best_config(a_run(facts={"secret_keys": ["lr"]}), jobs_of(tmp_path, 0))
    assert found is not None
    assert found.text.startswith("lr: <redacted")
    for broken in ("a: [", "- 1", "\x00", "a: &a [*a]"):
        (hydra / "config.yaml").write_text(broken, "utf-8")
        assert best_config(a_run(), jobs_of(tmp_path, 0)) is None


def test_a_huge_config_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of its text the beginning is shown, of its differences so many, and the page says how many more there are."""
    monkeypatch.setattr(module, "MAX_TEXT", 10)
    monkeypatch.setattr(module, "MAX_DIFFERENCES", 2)
    write(tmp_path, None, {})
    write(tmp_path, 0, {f"key{num}": num for num in range(5)})
    found = best_config(a_run(), jobs_of(tmp_path, 0))
    assert found == ("key0: 0\nke…", [("key0", "(none)", "0"), ("key1", "(none)", "1")], 3)
    page = page_of(RunRecord(RUN, tmp_path, "MULTIRUN", "COMPLETED", tuple(jobs_of(tmp_path, 0, 1))))
    assert "Config of the best job, and what differs from the sweep's" in page
    assert "and 3 more." in page


def test_it_is_escaped(tmp_path: Path) -> None:
    """Keys and values are text."""
    write(tmp_path, None, {"<b>": 1})
    write(tmp_path, 0, {"<b>": "</pre><script>"})
    page = page_of(RunRecord(RUN, tmp_path, "MULTIRUN", "COMPLETED", tuple(jobs_of(tmp_path, 0, 1))))
    assert "&lt;/pre&gt;&lt;script&gt;" in page
    assert "<b>" not in page
