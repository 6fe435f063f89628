"""Real git repositories, whatever the configuration of the user who runs the tests."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

_AS_SOMEBODY = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.com", "-c", "commit.gpgsign=false")


@dataclass(frozen=True)
class Repository:
    """A git repository in a directory."""

    directory: Path

    @classmethod
    def made(cls, directory: Path, *arguments: str) -> "Repository":
        """Makes an empty one."""
        directory.mkdir(parents=True, exist_ok=True)
        repository = cls(directory)
        repository.git("init", "-q", *arguments)
        return repository

    def git(self, *arguments: str) -> str:
        """Runs a git command here; what it printed."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        command = ["git", *_AS_SOMEBODY, "-c", "protocol.file.allow=always", "-C", str(self.directory), *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()

    def write(self, name: str, content: str | bytes) -> Path:
        """Writes a file in the work tree."""
        file = self.directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def commit(self, **files: str) -> str:
        """Writes some files, adds all there is, and commits it; the commit's hash."""
        for name, content in files.items():
            self.write(name, content)
        self.git("add", "--all")
        self.git("commit", "-q", "--allow-empty", "-m", "a commit")
        return self.git("rev-parse", "HEAD")

    def tracked(self) -> dict[str, bytes]:
        """The tracked files that are there, and what is in them."""
        files = [name for name in self.git("ls-files", "-z").split("\0") if name and (self.directory / name).is_file()]
        return {name: (self.directory / name).read_bytes() for name in files}


def fake_git(directory: Path, script: str) -> str:
    """Puts a shell script named git into a directory; a PATH that finds it before the real one."""
    directory.mkdir()
    program = directory / "git"
    program.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    program.chmod(0o755)
    return f"{directory}{os.pathsep}{os.environ['PATH']}"
