"""Journals of strangers: what they name is asked about, and what they hold ends no command."""

import ast
import csv
import json
import os
import pty
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from journals import a_job, a_run
from terminal import COMMAND, cli, environment

import hydra_callback_kit.cli
from hydra_callback_kit.cli.main import main
from hydra_callback_kit.cli.screen import MAX_WARNINGS
from hydra_callback_kit.journal.writer import write_line

HOSTILE = "\x1b]0;title\x07\x9b31m\x7f\u202eesrever\u2066\u2028\r\x00"


def write_hostile(root: Path, text: str = HOSTILE, key: str = HOSTILE, **facts: Any) -> Path:
    """A sweep whose every text is this one, and whose second job failed."""
    run = a_run(root)
    program = ["/bin/sh", "-c", "true"]
    started = {
        "mode": "MULTIRUN",
        "job_name": text,
        "program": program,
        "command": [*program, text],
        "aborted": f"{text}\n{text}",
    }
    started |= {"cwd": str(root), "overrides": [f"x='{text}'"], "launcher": text, "hydra_version": text, text: text}
    write_line(run, "run_started", {**started, **facts})
    for num in range(2):
        job = a_job(run, num)
        told = {"job_id": text, "job_name": text, "overrides": [f"x='{text}{num}'", f"+{key}={num}"], "output_dir": text}
        write_line(run, "job_started", told, job)
        error = {"type": text, "message": f"{text}\n{text}", "traceback": f"{text}\n{text}"}
        end = {"status": "FAILED", "error": error} if num else {"status": "COMPLETED", "return_value": {text: num, "a": num}}
        write_line(run, "job_ended", {**end, "duration_s": 0.5}, job)
        write_line(run, "job_facts", {text: text, "config": {text: {text: num}}}, job)
    write_line(run, "run_ended", {"duration_s": 1.0})
    (root / ".callbacks" / f"{run.run_id}.\x1b[31m.jsonl").write_bytes(b"{}\n")
    return root


def arguments_of(root: Path, other: Path, out: Path) -> Iterator[list[str]]:
    """Every command that reads a journal, with every option that shows something."""
    yield from (["show", str(root)], ["show", str(root), "--json"], ["show", str(root), "--sort-by", "a"])
    yield from (["show", str(root.parent)], ["show", str(root.parent), "--json"], ["show", str(root), "--run", "\x1b[31m"])
    yield from (["failed", str(root), "--traceback"], ["failed", str(root), "--json"], ["best", str(root), "--sort-by", "a"])
    yield from (
        ["best", str(root)],
        ["best", str(root), "--json", "--sort-by", "a"],
        ["best", str(root), "--sort-by", "\x1b"],
    )
    yield from (["compare", str(root), str(other)], ["compare", str(root), str(other), "--json"])
    yield from (["rerun", str(root), "--missing"], ["rerun", str(root)], ["rerun", str(root), "\x1b=["])
    yield ["collect", str(root), *(word for suffix in ("csv", "md", "json") for word in ("-o", str(out / f"all.{suffix}")))]
    yield ["report", str(root), "-o", str(out / "report.html")]


def is_harmless(text: str) -> bool:
    """Whether a terminal only shows it."""
    return not set(HOSTILE) & set("\x1b\x07\x9b\x7f\u202e\u2066\u2028\r\x00") & set(text)


def test_no_control_character_reaches_a_pipe(tmp_path: Path) -> None:
    """In no field of any command, in messages neither; what `rerun` prints for a shell alone is the value itself."""
    root = write_hostile(tmp_path / "\x1b[31mrun")
    other = write_hostile(tmp_path / "other", "plain")
    for arguments in arguments_of(root, other, tmp_path):
        done = invoke(arguments)
        assert is_harmless(done.output if arguments[0] != "rerun" else done.stderr), (arguments, done.output)


@pytest.mark.parametrize(
    "arguments", [["show"], ["failed", "--traceback"], ["rerun", "--failed"], ["best", "--sort-by", "a"], ["show", "--json"]]
)
def test_nor_a_terminal(tmp_path: Path, arguments: list[str]) -> None:
    """There `rerun` spells them out as well, and says so; the colours are our own."""
    root = write_hostile(tmp_path, HOSTILE.replace("\x00", ""), "key")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, arguments[0], str(root), *arguments[1:]],
        env=environment(COLUMNS="500", LINES="40"),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    seen = b""
    try:
        while chunk := os.read(ours, 1 << 16):
            seen += chunk
    except OSError:  # Linux says so when nobody holds the other end any more
        pass
    os.close(ours)
    assert process.wait(60) == 0
    text = seen.decode("utf-8")
    assert r"\x1b]0;title\x07" in text or r"\u001b]0;title\u0007" in text
    assert not {"\x07", "\x9b", "\x7f", "\u202e", "\u2066", "\u2028"} & set(text)
    assert "\x1b]" not in text
    assert ("in a pipe they are as they were given" in text) is (arguments[0] == "rerun")


def test_one_place_prints() -> None:
    """Whatever a command prints goes through `screen`, which spells control characters out."""
    for file in Path(hydra_callback_kit.cli.__file__).parent.glob("*.py"):
        if file.name == "screen.py":
            continue
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                assert ast.unparse(node.func) not in ("print", "click.echo", "click.secho", "click.style"), (
                    file,
                    node.lineno,
                )


def invoke(arguments: list[str]) -> Result:
    """Runs a command in this process; its exit code is one of those that are documented, and nothing else is raised."""
    done = CliRunner().invoke(main, arguments)
    assert done.exception is None or isinstance(done.exception, SystemExit), (arguments, done.exception)
    assert done.exit_code in (0, 1, 2), arguments
    return done


ODD = {
    "huge": {"repr": "0x" + "f" * 6_000, "type": "int"},
    "deep": [[[[[[[["x"]]]]]]]],
    "nul": "a\0b",
    "surrogate": "\ud800",
    "nothing": None,
    "brackets": ["x=" + "[" * 3_000, "y=" + "1" * 5_000, "z=[" + "1" * 5_000 + "]"],
    "shuffled": ["x=shuffle(range(1000000000000))", "y=range(0,1,0)"],
    "product": [f"x{num}=range(1000000)" for num in range(20)],
    "nan": ["x=range(nan,3.5)"],
    "long": ["x=[" + "1," * 100_000 + "1]"],
    "options": ["/bin/sh", "--version", "--config-dir"],
}


@pytest.mark.parametrize("odd", ODD)
def test_odd_facts_end_no_command(tmp_path: Path, odd: str) -> None:
    """Every fact that a command makes something of is something else."""
    root = write_hostile(tmp_path / "run", "x", "x")
    run = a_run(root)
    names = ("command", "program", "cwd", "overrides", "hydra_overrides", "other_arguments", "aborted", "job_name")
    for name in (*names, "launcher", "directions", "git", "sweeper", "from_python"):
        other = write_hostile(tmp_path / name, "x", "x", planned_jobs=3, planned_overrides=["x=1,2,3"])
        write_line(run._replace(root=other), "run_facts", {}, encoded={name: ODD[odd]})
        for command in (["show"], ["rerun", "--missing"]):
            invoke([command[0], str(other), *command[1:]])
    for planned in (2, 10**6, 10**18, -1):
        other = write_hostile(tmp_path / str(planned), "x", "x")
        write_line(run._replace(root=other), "run_facts", {"planned_jobs": planned}, encoded={"planned_overrides": ODD[odd]})
        invoke(["rerun", str(other), "--missing"])
    fields = ("overrides", "output_dir", "error", "return_value", "job_id", "resources", "config")
    write_line(run, "job_facts", {}, a_job(run, 1), encoded=dict.fromkeys(fields, ODD[odd]))
    write_line(run, "job_facts", {}, a_job(run, 0), encoded={"return_value": {"return_value." + "9" * 5_000: 1, "a": 2}})
    for arguments in arguments_of(root, root, tmp_path):
        invoke(arguments)


@pytest.mark.parametrize("nested", ['{"a":', "["])
def test_depth_ends_no_command(tmp_path: Path, nested: str) -> None:
    """Too deep for the views, for the writer of JSON and for its reader: one broken line each, and the rest is shown."""
    root = write_hostile(tmp_path / "run", "x", "x")
    file = next(file for file in (root / ".callbacks").iterdir() if file.stat().st_size > 100)
    lines = [
        line for line in file.read_text("utf-8").splitlines() if '"event":"run_' in line or '"event":"job_facts"' in line
    ]
    closing = "}" if nested[0] == "{" else "]"
    with file.open("a", encoding="utf-8") as journal:
        for levels in (150, 400, 900, 20_000):
            value = nested * levels + "1" + closing * levels
            for name in ("return_value", "config", "command", "git", "resources", "odd"):
                journal.writelines(
                    f'{line.partition(chr(34) + "facts")[0]}"facts":{{"{name}":{value}}}}}\n' for line in lines
                )
    broken = len(lines) * 4 * 6
    assert f"{broken + 1 - MAX_WARNINGS} more lines of the journal" in invoke(["show", str(root)]).stderr
    for arguments in arguments_of(root, root, tmp_path):
        invoke(arguments)
    assert len(json.loads(invoke(["show", str(root), "--json"]).stdout)["broken_lines"]) >= broken


def test_what_cannot_be_started_is_said(tmp_path: Path) -> None:
    """No program, a directory, a word that no program can be given: the others are started, the exit code is 1."""
    for program, word in (("/nowhere/app", "x"), (str(tmp_path), "x"), ("/bin/sh", "a\0b"), ("/bin/sh", "\ud800")):
        root = write_hostile(tmp_path / f"{len(word)}{len(program)}", "x", "x", program=[program, "-c", "true", word])
        done = invoke(["rerun", str(root), "--execute", "--yes"])
        assert done.exit_code in (1, 2)


def test_a_strangers_commands_are_asked_about(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal it is refused, with --yes it is not; printing the commands asks nobody."""
    root = write_hostile(tmp_path / "run", "x", "x")
    assert "could not" not in invoke(["rerun", str(root), "--execute"]).output  # our own
    monkeypatch.setattr(os, "geteuid", lambda: root.stat().st_uid + 1)
    assert invoke(["rerun", str(root)]).exit_code == 0
    refused = invoke(["rerun", str(root), "--execute"])
    assert refused.exit_code == 2
    assert "was written by " in refused.stderr
    assert "--yes" in refused.stderr
    assert "[1/1] job 1" not in refused.stderr
    assert "[1/1] job 1" in invoke(["rerun", str(root), "--execute", "--yes"]).stderr
    assert invoke(["rerun", str(root), "--interrupted", "--execute"]).exit_code == 0  # nothing to start


@pytest.mark.parametrize("answer", ["y", "n"])
def test_on_a_terminal_people_decide(tmp_path: Path, answer: str) -> None:
    """They see whose it is and what would run."""
    root = write_hostile(tmp_path / "run", "x", "x")
    ours, theirs = pty.openpty()
    pretend = (
        "import os, sys; own = os.geteuid(); os.geteuid = lambda: own + 1; from hydra_callback_kit.cli.main import main"
    )
    process = subprocess.Popen(
        [COMMAND[0], "-c", f"{pretend}; main()", "rerun", str(root), "--execute"],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    os.write(ours, f"{answer}\n".encode())
    _, said = process.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    assert "was written by " in said
    assert "/bin/sh" in said
    assert "Run 1 job?" in said
    assert ("[1/1] job 1" in said) is (answer == "y")
    assert process.returncode == 1  # what is on record is no app of ours; or the answer was no


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only the superuser gives files away")
def test_the_superuser_is_asked_too(tmp_path: Path) -> None:
    """About the journal's directory, or one file in it, of anybody else."""
    root = write_hostile(tmp_path / "run", "x", "x")
    for given in (root / ".callbacks", next((root / ".callbacks").glob("*.jsonl"))):
        os.chown(given, 65534, 65534)
        refused = cli("rerun", root, "--execute")
        assert (refused.code, "was written by" in refused.err) == (2, True)
        os.chown(given, 0, 0)


def test_a_journal_that_may_not_be_looked_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named, and the others are shown."""
    write_hostile(tmp_path / "mine", "x")
    write_hostile(tmp_path / "theirs", "x")
    really = os.scandir

    def scandir(path: Any) -> Any:
        if Path(path) == tmp_path / "theirs" / ".callbacks":
            raise PermissionError(13, "Permission denied")
        return really(path)

    monkeypatch.setattr(os, "scandir", scandir)
    done = invoke(["show", str(tmp_path)])
    assert f"The journal in {tmp_path / 'theirs'} cannot be read: Permission denied" in done.stderr
    assert "mine" in done.stdout
    assert invoke(["show", str(tmp_path / "theirs")]).exit_code == 1
    assert invoke(["compare", str(tmp_path / "theirs" / "0"), str(tmp_path / "mine")]).exit_code == 2


def test_a_spreadsheet_takes_no_text_for_a_formula(tmp_path: Path) -> None:
    """Numbers stay numbers; heads are texts, too; without the option the values are as they are."""
    root = tmp_path / "run"
    run = a_run(root)
    value = {
        "=1+1": "=cmd|' /C calc'!A0",
        "n": -0.5,
        "i": -3,
        "t": "-5",
        "inf": float("-inf"),
        "s": "@SUM(A1)",
        "p": "+x",
        "tab": "\t=1",
    }
    write_line(run, "job_started", {"overrides": ["x=-1", "note='-2+3'"]}, a_job(run, 0))
    write_line(run, "job_ended", {"status": "COMPLETED", "return_value": value}, a_job(run, 0))

    def row(*options: str) -> dict[str, str]:
        assert invoke(["collect", str(root), "-o", str(tmp_path / "x.csv"), *options]).exit_code == 0
        with (tmp_path / "x.csv").open(encoding="utf-8", newline="") as file:
            return next(csv.DictReader(file))

    plain, safe = row(), row("--safe-csv")
    assert plain["return_value.=1+1"].startswith("=cmd")
    returned = {name.removeprefix("return_value."): cell for name, cell in safe.items() if name.startswith("return_value.")}
    assert returned == {
        "=1+1": "'=cmd|' /C calc'!A0",
        "n": "-0.5",
        "i": "-3",
        "t": "-5",
        "inf": "-inf",
        "s": "'@SUM(A1)",
        "p": "'+x",
        "tab": "'\t=1",
    }
    assert (safe["x"], safe["note"]) == ("-1", "'-2+3")
