"""The matrix's checks see what is wrong: each of them, given what it is there to find."""

import dataclasses
import shutil

import pytest
from apps import App
from faults.checks import complaints
from faults.fault import ANOTHER_DISK, CALLBACKS, FAULTS, SETTINGS
from faults.scene import Left

NONE, RAISES, CTRL_C = (
    next(fault for fault in FAULTS if fault.name == name) for name in ("none", "the job raises", "Ctrl-C")
)


_LEAVES_A_CHECKPOINT = "open(f'out/{cfg.x}/left.ckpt', 'w').close()\nreturn {'double': 2 * cfg.x}"


def test_what_is_wrong_is_said(app: App) -> None:
    """Exit code, record, summaries, files that cannot be read, and what is left behind; and nothing if nothing is wrong."""
    app.write(_LEAVES_A_CHECKPOINT, f"defaults:\n- callbacks: [{', '.join(CALLBACKS)}]\n- _self_\nx: 0")
    done = app.sweep("basic", "x=0,1,2", *SETTINGS)
    jobs, nothing = frozenset({0, 1, 2}), frozenset()
    bare = Left(0, "", app.directory / "bare", jobs, jobs, nothing, nothing, nothing, nothing)
    ours = dataclasses.replace(bare, output=done.stdout + done.stderr, root=done.root)

    def said(fault=NONE, launcher="basic", **wrong: object) -> str:
        return "\n".join(complaints(fault, launcher, dataclasses.replace(ours, **wrong), bare))

    assert said() == ""
    assert said(code=1) == "exit code 1, expected 0"
    assert said(code=None) == "exit code None, expected 0"
    assert said(processes=frozenset({"sleep"})) == "processes left behind: ['sleep']"
    assert said(threads=frozenset({"Thread sampler"})) == "threads left behind: ['Thread sampler']"
    assert said(files=frozenset({"home/.cache"})) == "files left behind: ['home/.cache']"
    assert "a bug of ours" in said(output="Please report this as a bug")
    assert "through our callbacks" in said(output='File "x/hydra_callback_kit/callbacks/y.py", line 1')
    assert said(twice=frozenset({2})) == "job 2 reached its end twice"
    assert said(RAISES) == "job 1 is COMPLETED, expected FAILED"
    assert said(started=jobs | {7}) == "job 7 started and has no record"
    assert said(started=frozenset({0, 1})) == "job 2 is COMPLETED, and its task function never began"
    assert said(CTRL_C, "joblib", ended=frozenset({0, 1})) == "job 2 is COMPLETED"
    assert said(root=app.directory / "nowhere") == "there is no record"
    (done.root / "2" / "left.ckpt").unlink()
    assert said() == "job 2 is the best and has lost its checkpoint"


def test_what_is_wrong_on_another_disk_is_said(app: App) -> None:
    """What is left behind there and what cannot be read, and what the lines from there do not tell either."""
    app.write(_LEAVES_A_CHECKPOINT, f"defaults:\n- callbacks: [{', '.join(CALLBACKS)}]\n- _self_\nx: 0")
    done = app.sweep("basic", "x=0,1,2", *SETTINGS)
    jobs, nothing = frozenset({0, 1, 2}), frozenset()
    away = app.directory / "away"
    away.mkdir()
    for x in jobs:
        (done.root / str(x)).rename(away / str(x))
    ours = Left(0, "", done.root, jobs, jobs, nothing, nothing, nothing, nothing, away)

    def said(fault=NONE, **wrong: object) -> str:
        return "\n".join(complaints(fault, ANOTHER_DISK, dataclasses.replace(ours, **wrong), ours))

    assert said() == ""
    assert said(twice=frozenset({2})) == "job 2 reached its end twice"
    assert said(started=jobs | {7}) == "job 7 started and has no record"
    (done.root / "1").mkdir()
    assert said() == "job 1 has a directory on this disk"
    (done.root / "1").rmdir()
    (away / "results.json").write_text("[NaN]", "utf-8")
    assert said() == "results.json cannot be read: NaN is no JSON"
    (away / "results.json").rename(away / "results.json.lock")
    assert said() == "results.json.lock left behind"
    (away / "results.json.lock").unlink()
    shutil.copytree(done.root / ".callbacks", away / ".callbacks")
    assert said() == ""  # lines that are there twice count once
    assert "job 7 started and has no record, in both places" in said(started=jobs | {7})


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("results.json", '[{"job_num": 0, "status": "RUNNING"}]', "tells"),
        ("best.json", "[NaN]", "cannot be read"),
        ("results.json", None, "there is no results.json"),
        ("results.json.lock", "", "left behind"),
        (".results.json.0a1b.tmp", "", "left behind"),
        ("0/samples.csv", "a,b\n1\n", "cannot be read"),
        ("0/report.html", "<html>", "cannot be read"),
        (".callbacks/20260101T000000-aa.x-1-2.jsonl", "broken\n", "cannot be read"),
        (".callbacks/20260101T000000-aa.x-1-2.jsonl", "{}\n{}\n", "broken lines"),
    ],
)
def test_files_are_looked_at(app: App, name: str, content: str | None, complaint: str) -> None:
    """What cannot be read, tells something else than the record, is missing, or was never to be there."""
    app.write("return 1", f"defaults:\n- callbacks: [{', '.join(CALLBACKS)}]\n- _self_\nx: 0")
    done = app.run("x=1", *SETTINGS)
    (done.root / "left.ckpt").touch()
    (file,) = done.root.glob(".callbacks/*") if name.startswith(".callbacks") else [done.root / name]
    file.parent.mkdir(exist_ok=True)
    if content is None:
        file.unlink()
    else:
        file.write_text((file.read_text("utf-8") if name.startswith(".callbacks") else "") + content, "utf-8")
    one, none = frozenset({1}), frozenset()
    left = Left(0, "", done.root, one, one, none, none, none, none)
    assert complaint in "\n".join(complaints(NONE, "single run", left, left))
