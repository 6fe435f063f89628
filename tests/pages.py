"""The documentation's pages as their readers follow them: files are written, commands are typed, outputs are compared.

In a page, a fenced block with `title="train.py"` is a file, and a block of the language `console` holds commands (`$ ...`)
with their outputs, both streams together. All of a page happens in one empty folder, shown as `/home/me/app`;
`<!-- new folder -->` begins another one, and `<!-- not run: why -->` before a block leaves it alone. In an output `…`
stands for any text of a line, and a line `...` for any lines; times, durations, which job took longest, sizes, process
numbers and the width of columns may differ.

`python tests/pages.py docs/some-page.md` puts in the outputs as they are now.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SHOWN_FOLDER = "/home/me/app"
SHOWN_PYTHON = "/usr/bin/python"

_BLOCK = re.compile(
    r"(?P<before><!-- (?P<note>[^>]*?) -->\s*\n)?"
    r"^(?P<indent> *)```(?P<language>\w+)(?P<options>[^\n]*)\n(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
_DIFFERS = (
    r"\d{4}-\d\d-\d\d[T /_]\d\d[:-]\d\d[:-]\d\d(?:[,.]\d+)?(?:\+00:00)?",  # times, also as names of directories
    r"\d{8}T\d{6,12}(?:-[0-9a-f]{8})?",  # runs
    r"\d+(?:\.\d+)?(?:e-?\d+)? (?:ms|s|min|h)(?: \d+ (?:s|min))?\b",
    r"\d+(?:\.\d+)? (?:B|KiB|MiB|GiB|kB|MB)\b",
    r"\(process \d+\)",
    r"\b(?=[a-f]*\d)(?:[0-9a-f]{40}|[0-9a-f]{12})\b",  # commits
    r"<redacted \d+>",
    r"\b0\.\d{4,}\b",  # seconds in tables
    r"(?<=slowest: job )\d+ \([^)]*\)",
    r"(?<=COMPLETED )[a-z]\S* \d+(?= <differs>)",  # the host and the process of a rank
)


@dataclass
class Command:
    """A command of a page.

    Attributes:
        line: what is typed.
        expected: the lines that the page shows.
        span: where they stand in the page.
        indent: what each line of the page is indented by.
    """

    line: str
    expected: list[str]
    span: tuple[int, int]
    indent: str = ""
    printed: list[str] = field(default_factory=list)

    @property
    def as_shown(self) -> bool:
        """Whether what was printed is what the page shows."""
        return re.fullmatch(_pattern(self.expected), _text(self.printed), re.DOTALL) is not None


def follow(page: Path) -> Iterator[Command]:
    """Does what a page says, from its first line to its last.

    Yields:
        Each command once it has been run.
    """
    text = page.read_text("utf-8")
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home, "app0")
        folder.mkdir()
        for number, block in enumerate(_BLOCK.finditer(text)):
            note = block["note"] or ""
            between = text[max(text.rfind("```", 0, block.start()), 0) : block.start("language")]
            if "<!-- new folder -->" in between:
                folder = Path(home, f"app{number}")
                folder.mkdir()
            title = re.search(r'title="([^"]+)"', block["options"])
            if note.startswith("not run"):
                continue
            if title is not None:
                file = folder / title[1]
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(_dedented(block), "utf-8")
            elif block["language"] == "console":
                for command in _commands(block):
                    command.printed = _run(command.line, folder)
                    yield command


def rewrite(page: Path) -> int:
    """Puts what is printed now into a page, where it differs; returns how often."""
    text, changes = page.read_text("utf-8"), 0
    for command in reversed([command for command in follow(page) if not command.as_shown]):
        lines = "".join(f"{command.indent}{line}".rstrip() + "\n" for line in command.printed)
        text = text[: command.span[0]] + lines + text[command.span[1] :]
        changes += 1
    page.write_text(text, "utf-8")
    return changes


def _dedented(block: "re.Match[str]") -> str:
    return re.sub(rf"^{block['indent']}", "", block["text"], flags=re.MULTILINE)


def _commands(block: "re.Match[str]") -> Iterator[Command]:
    position = block.start("text")
    command: Command | None = None
    for line in block["text"].splitlines(keepends=True):
        plain = line.removeprefix(block["indent"]).rstrip("\n")
        end = position + len(line)
        if plain.startswith("$ "):
            if command is not None:
                yield command
            command = Command(plain[2:], [], (end, end), block["indent"])
        elif command is not None and command.line.endswith("\\") and not command.expected:
            command.line += f"\n{plain.removeprefix('> ')}"
            command.span = end, end
        elif command is not None:
            command.expected.append(plain)
            command.span = command.span[0], end
        position = end
    if command is not None:
        yield command


def _run(line: str, folder: Path) -> list[str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("HYDRA_", "PYTHON", "PYTEST_", "COV_"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**kept, "PATH": path, "PYTHONWARNINGS": "ignore::DeprecationWarning", "COLUMNS": "120", "USER": "me"}
    environment["HYDRA_CALLBACK_KIT_DEVICE_CLAIMS"] = str(folder / ".device-claims")
    done = subprocess.run(
        ["/bin/bash", "-c", line],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    printed = done.stdout.replace(str(folder), SHOWN_FOLDER).replace(str(folder.resolve()), SHOWN_FOLDER)
    # a virtual environment has it under several names
    python = rf"{re.escape(str(Path(sys.executable).parent))}/python[0-9.]*"
    return re.sub(python, SHOWN_PYTHON, printed).expandtabs(8).splitlines()


def _text(lines: list[str]) -> str:
    """Lines as they are compared: without what differs from time to time."""
    text = "\n".join(" ".join(line.split()) for line in lines)
    for differs in _DIFFERS:
        text = re.sub(differs, "<differs>", text)
    return re.sub("-{2,}:?", "--", text).strip()


def _pattern(expected: list[str]) -> str:
    lines = [".*" if line.strip() == "..." else re.escape(_text([line])).replace("…", "[^\n]*") for line in expected]
    return "\n".join(lines).strip().replace("\n.*\n", "(?:\n.*)?\n").removesuffix("\n.*") + (
        "(?:\n.*)?" if expected and expected[-1].strip() == "..." else ""
    )


if __name__ == "__main__":
    for name in sys.argv[1:]:
        sys.stdout.write(f"{name}: {rewrite(Path(name))} outputs changed\n")
