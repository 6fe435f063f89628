"""The files that callbacks write for people: what lies in their place and is not what this package wrote is kept.

Before a file is put in its place, its fingerprint goes on record under its name. What is found there later is ours if its
own is on record: not what somebody else wrote, and not what somebody has edited since. In doubt (no line could be written,
the job was killed) it is kept.
"""

import contextlib
import functools
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from omegaconf import DictConfig

from hydra_callback_kit.configs.identity import identify_run
from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.hooks.job_recorder import record_job_facts
from hydra_callback_kit.journal.fingerprint import fingerprint_of, is_one_of
from hydra_callback_kit.journal.identity import RunIdentity
from hydra_callback_kit.journal.safe_log import SafeLogger
from hydra_callback_kit.journal.writer import write_line
from hydra_callback_kit.journal.written import FILES
from hydra_callback_kit.views import files

_WRITTEN: Final = "own_files"
"""The note of a job that holds the names of those in its directory."""


@contextlib.contextmanager
def own_file(config: DictConfig, name: str | Path, log: SafeLogger) -> Iterator[Path]:
    """Gives the temporary name to write a file under, and puts the file in its place in one step once it is written.

    Args:
        config: the config of the run.
        name: the file, relative to the run's root or absolute; missing directories are made.
        log: the callback's logger, which is told of what is set aside.

    Yields:
        A path beside the file's place.

    Raises:
        OSError: if it cannot be put there; what was there before is unchanged then, or set aside.
    """
    run = identify_run(config)
    path, known = run.root / name, _known(run)
    with files.put_in_place(path, known.is_ours, tell(log)) as temporary:
        yield temporary
        fingerprint = fingerprint_of(temporary)
        known.add(path.name, fingerprint)
        write_line(run, "run_facts", {FILES: {path.name: fingerprint}})
        if run.mode == "RUN":  # its directory is the job's as well
            are_written(config, [path.name])


def write_own_file(config: DictConfig, name: str | Path, content: str | bytes, log: SafeLogger) -> Path:
    """Writes a file for people.

    Args:
        config: as for `own_file`.
        name: the same.
        content: text (written as UTF-8) or bytes.
        log: as for `own_file`.

    Returns:
        The file's path.

    Raises:
        OSError: as from `own_file`.
    """
    with own_file(config, name, log) as temporary:
        temporary.write_bytes(content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content)
    return identify_run(config).root / name


def remove_own_file(config: DictConfig, name: str) -> None:
    """Removes a file that an earlier run left and that nobody has edited, if there is one; nobody else's.

    Args:
        config: the config of the run.
        name: the file, relative to the run's root.
    """
    run = identify_run(config)
    if _known(run).is_ours(run.root / name):
        (run.root / name).unlink()


def make_room(run: RunIdentity, log: SafeLogger, path: Path) -> None:
    """Makes sure that a file can be made where a job's own file goes: removes an earlier one of ours, keeps any other.

    Args:
        run: the job's run.
        log: the callback's logger, which is told of what is set aside.
        path: the file's place.

    Raises:
        OSError: if something lies there and cannot be moved.
    """
    says = "%s is not what hydra-callback-kit wrote, or of an attempt that was killed: it is kept as %s"
    files.make_room(path, functools.partial(_known(run).is_ours, ask_once=True), functools.partial(log.warning, says))
    path.unlink(missing_ok=True)


def record_job_files(config: DictConfig, facts: Mapping[str, Any], fingerprints: Mapping[str, str]) -> None:
    """Adds facts to a job's record, and what is known of files in its directory.

    Args:
        config: the config of `on_job_start` or `on_job_end`.
        facts: any values by name; secrets in them are redacted.
        fingerprints: those of what was written, by the files' names without a path.
    """
    are_written(config, fingerprints)
    known = _known(identify_run(config))
    if known.is_read:  # else it will find it on record, and a sweep of many jobs need not keep it
        for name, fingerprint in fingerprints.items():
            known.add(name, fingerprint)
    record_job_facts(config, facts, {FILES: dict(fingerprints)})


def are_written(config: DictConfig, names: Iterable[str]) -> None:
    """Notes for the hooks that come later which files a job's callbacks write in its directory.

    Args:
        config: the config of `on_job_start` or `on_job_end`.
        names: relative to that directory.
    """
    notes_of(config).setdefault(_WRITTEN, []).extend(names)


def written_by_the_job(config: DictConfig) -> list[str]:
    """The files that a job's callbacks have written in its directory, or write still, as they were noted in this process."""
    return list(notes_of(config).get(_WRITTEN, ()))


def tell(log: SafeLogger) -> files.Tell:
    """Says in the log what was set aside."""
    return functools.partial(log.warning, "%s is not what hydra-callback-kit wrote: it is kept as %s")


class _Known:
    """The fingerprints of the files that a run, and the earlier ones in its directory, have written, by name."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._by_name: dict[str, set[str]] = {}
        self.is_read = False

    def add(self, name: str, fingerprint: str) -> None:
        self._by_name.setdefault(name, set()).add(fingerprint)

    def is_ours(self, path: Path, *, ask_once: bool = False) -> bool:
        """Asks the journal if it must, each time: another run may write in the directory at the same time.

        For the files of jobs it is asked once in a process: a directory that is used again has one for each job.
        """
        if path.is_symlink() or not path.is_file():
            return False
        if not (ask_once and self.is_read) and not is_one_of(path, self._by_name.get(path.name, ())):
            from hydra_callback_kit.journal.journal_lines import facts_in  # noqa: PLC0415  most places are free

            self.is_read = True
            for written in facts_in(self._root, FILES):
                for name, fingerprint in written.items() if isinstance(written, dict) else ():
                    self.add(name, fingerprint)
        return is_one_of(path, self._by_name.get(path.name, ()))


@functools.lru_cache(maxsize=4)
def _known(run: RunIdentity) -> _Known:
    return _Known(run.root)
