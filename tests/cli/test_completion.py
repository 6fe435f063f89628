"""Completion as bash asks for it: what is offered, and that nothing else is ever printed."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from apps import App
from click.shell_completion import BashComplete
from terminal import COMMAND, environment

from hydra_callback_kit.cli.completion import WITHIN_S
from hydra_callback_kit.cli.main import main

CONFIG = """
defaults:
  - callbacks: [results_aggregator_callback]
  - _self_
model: cnn
lr: 0.1
"""


@pytest.fixture
def project(app: App) -> Path:
    """Where three runs lie, one of them in a single folder of folders, and much that is none."""
    app.write("return {'accuracy': cfg.lr, '$(touch made)': 1, 'val/loss': 1}", CONFIG)
    assert app.run("hydra.run.dir=outputs/day/one", "lr=0.2").code == 0
    assert app.run("hydra.run.dir=outputs/day/two", "+extra=1").code == 0
    assert app.run("-m", "model=a,b", "hydra.sweep.dir='multirun/my sweep'").code == 0
    assert app.run("-m", "model=a,b", "hydra.sweep.dir=multirun/sweep").code == 0
    (app.directory / "multirun" / "latest").symlink_to("sweep")
    for name in ("data/more", "outputs/empty", "multirun/$(touch made)"):
        (app.directory / name).mkdir(parents=True)
    return app.directory


def test_what_is_offered(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands, options, directories that hold or lead to runs, metrics, overrides, ids, callbacks."""
    monkeypatch.chdir(project)

    def offered(_: Path, *words: str) -> list[str]:
        """As below, without a process for each."""
        completions = BashComplete(main, {}, "hydra-callback-kit", "_X").get_completions
        return [item.value for item in completions([word.strip("'") for word in words[:-1]], words[-1].strip("'"))]

    assert offered(project, "re") == ["rerun", "report"]
    assert {"--since", "--status", "--sort-by"} <= {*offered(project, "show", "--s")}
    assert offered(project, "show", "--status", "f") == ["failed"]
    assert offered(project, "show", "") == ["outputs/", "multirun/"]
    assert offered(project, "show", "out") == [
        "outputs/day/two",
        "outputs/day/one",
    ]  # straight on to where there is a choice
    assert offered(project, "failed", "./multirun/") == ["./multirun/sweep", "./multirun/latest"]
    assert offered(project, "show", str(project / "outputs")) == [
        str(project / "outputs/day" / name) for name in ("two", "one")
    ]
    assert offered(project, "compare", "outputs/day/one", "outputs/day/t") == ["outputs/day/two"]
    assert offered(project, "show", "--sort-by", "") == ["accuracy", "val/loss"]
    assert offered(project, "show", "--where", "'a") == ["accuracy"]
    assert offered(project, "show", "--where", "m") == ["model"]
    assert offered(project, "report", "multirun/latest", "--metric", "v") == ["val/loss"]
    assert offered(project, "best", "outputs", "--sort-by", "acc") == ["accuracy"]
    assert offered(project, "show", "outputs/day/two", "--average-over", "") == ["extra"]
    assert offered(project, "show", "outputs", "--average-over", "") == ["extra", "lr"]
    assert offered(project, "table", "--rows", "") == ["model"]
    (run_id,) = offered(project, "show", "outputs/day/one", "--run", "")
    (file,) = (project / "outputs/day/one/.callbacks").glob("*.jsonl")
    assert run_id == file.name.partition(".")[0]
    assert offered(project, "list", "retr") == ["retry_callback"]


def offered(directory: Path, *words: str, **extra: str) -> list[str]:
    """What bash is offered for the last of the words."""
    asked = {"COMP_WORDS": "\n".join(("hydra-callback-kit", *words)), "COMP_CWORD": str(len(words))}
    program = "import sys; sys.argv = ['hydra-callback-kit']; from hydra_callback_kit.cli.main import main; main()"
    done = subprocess.run(
        [COMMAND[0], "-c", program],
        cwd=directory,
        env=environment(**asked, _HYDRA_CALLBACK_KIT_COMPLETE="bash_complete", **extra),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert not (directory / "made").exists()
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


@pytest.mark.parametrize(
    "words",
    [
        ["show", "nowhere/"],
        ["show", "nowhere", "--run", "x"],
        ["show", "--since", ""],
        ["nothing", "x"],
        ["show", "--nothing", "x", "--sort-by", "x"],
        ["rerun", "x=1", "y"],
        ["show", "broken", "--sort-by", "x"],
        ["show", "closed", "--average-over", "x"],
        ["show", "x" * 5_000],
        ["show", "\x01"],
    ],
)
def test_nothing_is_ever_said(tmp_path: Path, words: list[str]) -> None:
    """Neither of what is mistyped nor of journals that are broken or another user's."""
    for name in ("broken", "closed"):
        (tmp_path / name / ".callbacks").mkdir(parents=True)
        (tmp_path / name / ".callbacks" / "20260101T000000000000-0000000a.x.jsonl").write_bytes(b"{\xff no line\n")
    (tmp_path / "closed" / ".callbacks").chmod(0)
    assert offered(tmp_path, *words) == []
    (tmp_path / "closed" / ".callbacks").chmod(0o700)


def test_it_does_not_take_long(tmp_path: Path) -> None:
    """Where a search would: what may lead to a run is offered then, and a long journal is read in part."""
    for first in range(40):
        for second in range(100):
            (tmp_path / "data" / str(first) / str(second) / "x" / "y").mkdir(parents=True)
    journal = tmp_path / "run" / ".callbacks" / "20260101T000000000000-0000000a.x.jsonl"
    journal.parent.mkdir(parents=True)
    line = (
        '{"v":1,"time":"2026-01-01T00:00:00.000000+00:00","run":"20260101T000000000000-0000000a","event":"%s","job":%d,'
        '"attempt":"%d","host":"h","pid":1,"born":null,"facts":{"%s":%s}}\n'
    )
    with journal.open("w") as out:
        for num in range(150_000):
            out.write(line % ("job_started", num, num, "overrides", f'["x={num}"]'))
            out.write(line % ("job_ended", num, num, "status", '"COMPLETED","return_value":{"loss":1}'))
    start = time.monotonic()
    assert offered(tmp_path, "show", "--help")[:1] == ["--help"]
    alone_s = time.monotonic() - start
    start = time.monotonic()
    assert offered(tmp_path, "show", "run", "--sort-by", "") == ["loss"]
    assert "run" in offered(tmp_path, "show", "")
    assert time.monotonic() - start < 2 * alone_s + 4 * WITHIN_S + 2


BASH = shutil.which("bash")


@pytest.mark.skipif(BASH is None, reason="no bash")
def test_in_bash_itself(project: Path) -> None:
    """The line of the docs, and what bash then has to offer."""
    binaries = project / "bin"
    binaries.mkdir()
    script = binaries / "hydra-callback-kit"
    script.write_text(f"#!/bin/sh\nexec {COMMAND[0]} -c 'import sys; sys.argv[0] = \"hydra-callback-kit\"; "
                      "from hydra_callback_kit.cli.main import main; main()' \"$@\"\n")  # fmt: skip
    script.chmod(0o755)
    asks = (
        'eval "$(_HYDRA_CALLBACK_KIT_COMPLETE=bash_source hydra-callback-kit)"\n'
        "COMP_WORDS=(hydra-callback-kit show outputs/day/o); COMP_CWORD=2\n"
        '_hydra_callback_kit_completion hydra-callback-kit; echo "${COMPREPLY[@]}"\n'
    )
    path = f"{binaries}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [str(BASH), "-c", asks],
        cwd=project,
        env=environment(PATH=path),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("outputs/day/one\n", "")
