"""What the documentation shows as a command and its output happens when a reader types it."""

import re
from pathlib import Path

import pytest
from pages import follow

REPOSITORY = Path(__file__).parents[2]
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]


@pytest.mark.docs
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_a_page_does_what_it_says(page: Path) -> None:
    """Each command prints what the page shows."""
    for command in follow(page):
        assert command.as_shown, "\n".join(
            [f"$ {command.line}", *command.printed, "--- but the page shows", *command.expected]
        )


@pytest.mark.docs
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_what_is_not_run_says_why(page: Path) -> None:
    """A block that looks like a command is a `console` block, so that it is run, or says why it is not."""
    for language, text in re.findall(r"^ *```(\w*)[^\n]*\n(.*?)^ *```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL):
        assert language == "console" or not re.search(r"^\s*\$ ", text, re.MULTILINE), text
