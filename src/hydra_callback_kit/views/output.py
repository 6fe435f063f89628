"""What the record, or the files beside it, have of a job's output."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from hydra_callback_kit.journal.format import CAPTURED_OUTPUT
from hydra_callback_kit.journal.printable import printable
from hydra_callback_kit.journal.records import JobRecord, RankRecord


class Output(NamedTuple):
    """The last lines of what a job wrote.

    Attributes:
        name: the file, in the job's directory, or with its path where it lies elsewhere.
        text: the lines, without secrets.
    """

    name: str
    text: str


def outputs_of(job: JobRecord, secret_keys: Any = None) -> list[Output]:
    """The last lines of what a job wrote, and of what those of its ranks wrote that failed or are gone.

    Those of a job that was killed are read from its files.

    Args:
        job: the job.
        secret_keys: the words that make a key secret there, where the record has others than the usual ones.

    Returns:
        One for each file that is not empty.
    """
    failed: list[JobRecord | RankRecord] = [
        rank for rank in job.ranks if rank.rank and rank.status in ("FAILED", "INTERRUPTED")
    ]
    facts = [each.facts.get(CAPTURED_OUTPUT) for each in (job, *failed)]
    return [output for fact in facts if isinstance(fact, dict) for output in _of(fact, job.output_dir, secret_keys)]


def files_of(job: JobRecord) -> list[str]:
    """The names of the files of what a job wrote, in its directory, or with their paths where they lie elsewhere."""
    return _names(job.facts.get(CAPTURED_OUTPUT))


def _names(fact: Any) -> list[str]:
    files = fact.get("files") if isinstance(fact, dict) else None
    return list(map(str, files)) if isinstance(files, dict) else []


def _of(fact: dict[str, Any], directory: Path | None, secret_keys: Any) -> Iterator[Output]:
    files, tails, lines = fact.get("files"), fact.get("tails"), fact.get("lines")
    if isinstance(tails, dict):
        for name, text in tails.items():
            if isinstance(text, str) and text:
                yield Output(printable(str(name)), printable(text))
    elif isinstance(files, dict) and type(lines) is int and directory is not None and lines:
        for name, begins in files.items():
            text = _read(directory, str(name), begins, lines, secret_keys) if type(begins) is int and begins >= 0 else ""
            if text:
                yield Output(printable(str(name)), text)


def _read(directory: Path, name: str, begins: int, lines: int, secret_keys: Any) -> str:
    """Empty where the file is gone, or nobody knows what is secret in it."""
    from hydra_callback_kit.capture.tail import last_lines  # noqa: PLC0415  only jobs that were killed need it
    from hydra_callback_kit.configs.saved_secrets import redaction_by_saved_secrets  # noqa: PLC0415  the same

    try:
        return last_lines(directory / name, begins, lines, redaction_by_saved_secrets(directory, secret_keys).of_text)
    except (OSError, ValueError):
        return ""
