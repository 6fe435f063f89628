"""Commands whose output nobody takes: a full disk, a closed stream, a reader that has left."""

import subprocess
from pathlib import Path

import pytest
from journals import a_job, a_run
from terminal import COMMAND, environment

from hydra_callback_kit.journal.writer import write_line

ASKED = {
    "show": ["show", "."],
    "show --json": ["show", ".", "--json"],
    "list": ["list"],
    "--help": ["--help"],
    "show --help": ["show", "--help"],
}
WAYS = [
    pytest.param(
        "> /dev/full",
        "1",
        "Error: The output cannot be written: No space left on device\n",
        marks=pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a full disk to write to"),
    ),
    pytest.param("| true", "0", ""),
    pytest.param(">&-", "0", ""),
]


@pytest.mark.parametrize(("way", "code", "said"), WAYS)
@pytest.mark.parametrize("asked", ASKED)
def test_a_command_whose_output_nobody_takes(tmp_path: Path, asked: str, way: str, code: str, said: str) -> None:
    """It says why in a line where that is worth saying, and shows no traceback."""
    run = a_run(tmp_path)
    write_line(run, "run_started", {"mode": "RUN"})
    write_line(run, "job_ended", {"status": "COMPLETED"}, a_job(run, 0))
    command = ["sh", "-c", f'"$@" {way}; echo $? > code', "sh", *COMMAND, *ASKED[asked]]
    done = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=60, check=True)
    assert (done.stderr, (tmp_path / "code").read_text()) == (said, f"{code}\n")
