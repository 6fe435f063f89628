"""A Slurm of a test's own: `squeue` and `scontrol` say what it wants, and note that they were asked."""

import os
import sys
from pathlib import Path

import pytest

_SQUEUE = """
import os, time
time.sleep(float(read('slow')))
if '--all' in sys.argv and 'SQUEUE_PARTITION' not in os.environ:
    print(read('says'))
sys.exit(int(read('code')))
"""


class FakeSlurm:
    """Puts both commands first on PATH. Its partition is hidden: only `--all` lists what is there."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.directory = directory
        directory.mkdir()
        self.says("")
        (directory / "cluster").write_text("here")
        for name, source in (
            ("squeue", _SQUEUE),
            ("scontrol", "print('Configuration data as of today'); print('ClusterName             =', read('cluster'))"),
        ):
            script = directory / name
            script.write_text(
                f"#!{sys.executable}\nimport sys\n"
                f"def read(name): return open({str(directory)!r} + '/' + name).read()\n"
                f"print(*sys.argv[1:], file=open({str(directory)!r} + '/{name}.asked', 'a'))\n{source}\n"
            )
            script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{directory}{os.pathsep}{os.environ['PATH']}")
        for name in [name for name in os.environ if name.startswith("SLURM_")]:
            monkeypatch.delenv(name)

    def says(self, *jobs: str, code: int = 0, slow_s: float = 0) -> None:
        """What squeue prints from now on: `12_3 15 RUNNING 0`, a line a job."""
        for name, text in (("says", "\n".join(jobs)), ("code", str(code)), ("slow", str(slow_s))):
            (self.directory / name).write_text(text)

    def asked(self, command: str = "squeue") -> int:
        """How often it was."""
        notes = self.directory / f"{command}.asked"
        return len(notes.read_text().splitlines()) if notes.exists() else 0


@pytest.fixture
def slurm(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> FakeSlurm:
    """Slurm's commands, as they would be on a login node."""
    return FakeSlurm(tmp_path_factory.mktemp("slurm") / "bin", monkeypatch)
