"""A sweep that `resume_callback` lets go on: whether it may, and from what."""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from hydra_callback_kit.configs.directories import absolute_directory, directory_of
from hydra_callback_kit.configs.identity import identify_run, note_run
from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.configs.sweep_jobs import is_basic_sweeper, looks_at_values, sweep_jobs
from hydra_callback_kit.hooks import gates
from hydra_callback_kit.hooks.abort import abort
from hydra_callback_kit.hooks.earlier_sweeps import latest_sweep, newest_sweep
from hydra_callback_kit.hooks.ignored_keys import mistake_in
from hydra_callback_kit.hooks.sweep_again import note_what_was_before
from hydra_callback_kit.journal.at_exit import at_exit
from hydra_callback_kit.journal.batch_system import Slurm
from hydra_callback_kit.journal.format import JOURNAL_DIR
from hydra_callback_kit.journal.identity import RunIdentity
from hydra_callback_kit.journal.life import Sight
from hydra_callback_kit.journal.process import ProcessIdentity, is_alive, this_process
from hydra_callback_kit.journal.rank import is_worker, rank_of_this_process
from hydra_callback_kit.journal.records import RunRecord
from hydra_callback_kit.journal.safe_log import SafeLogger
from hydra_callback_kit.journal.turn import NotOurTurnError, turn_of_a_sweep
from hydra_callback_kit.launching.before import Before, Wanted
from hydra_callback_kit.launching.in_place import put_in_place
from hydra_callback_kit.launching.resumes import Resumes
from hydra_callback_kit.provenance.loaded_code import changed_modules, loaded_code
from hydra_callback_kit.views import silence

LATEST: Final = "latest"
_OPTION: Final = "hydra.callbacks.resume_callback"

_log = SafeLogger("hydra_callback_kit.resume_callback")


class Resume(NamedTuple):
    """What the callback is asked for.

    Attributes:
        resume_from: the directory of another sweep, or `latest`; None for none.
        ignore: keys that do not matter.
        skip: statuses of the jobs that are not run again.
        on_changed_code: `warn`, `run` or `ignore`.
        assume_gone: whether what nobody knows is taken to be gone.
    """

    resume_from: str | None
    ignore: tuple[str, ...]
    skip: tuple[str, ...]
    on_changed_code: str
    assume_gone: bool

    @property
    def sight(self) -> Sight:
        """What can be found out about processes."""
        return Sight(batch_system=Slurm(), assume_gone=self.assume_gone)


class _Ready(NamedTuple):
    """What is known of a sweep whose start is not recorded yet."""

    resume: Resume
    before: Sequence[RunRecord]
    turn: contextlib.ExitStack


_ready: Final[dict[tuple[int, str], _Ready]] = {}
"""By process and run."""


def ask_whether_it_goes_on(config: DictConfig, resume: Resume) -> None:
    """Finds out which sweep goes on, before anything of it is recorded; `identify_run` knows it from then on.

    Args:
        config: the config of `on_multirun_start`.
        resume: what the callback is asked for.

    Raises:
        AbortRun: if it still runs, may run, or cannot go on.
    """
    notes = notes_of(config)
    if is_worker():
        return  # it does what rank 0 does
    rank = rank_of_this_process()
    if rank is not None and rank.size != 1:
        _refuse(config, "A sweep that is started as several ranks itself cannot be resumed: each would start other jobs.")
    mistake = mistake_in(resume.ignore, config)
    if mistake:
        _refuse(config, f"{_OPTION}.ignore {mistake}")
    root = directory_of(config, "hydra.sweep.dir")
    with contextlib.ExitStack() as stack:
        here = _run_here(config, root, resume, stack)
        other = _run_elsewhere(config, root, resume)
        if here is not None:
            note_run(config, RunIdentity(here.run_id, root, "MULTIRUN", goes_on=True))
            note_what_was_before(config, here)
        run = identify_run(config)
        notes["resumes"] = True
        found = [each for each in (here, other) if each is not None]
        _ready[os.getpid(), run.run_id] = _Ready(resume, found, stack.pop_all())


def go_on(config: DictConfig) -> None:
    """Lets only those jobs start that are left or new.

    Args:
        config: the config of `on_multirun_start`; the start is recorded.
    """
    ready = _ready.pop((os.getpid(), identify_run(config).run_id), None)
    if ready is None:
        return
    with ready.turn:  # its start is on record: whoever comes now sees that it runs
        try:
            _go_on(config, ready)
        except Exception as error:  # noqa: BLE001  whatever it is: else all jobs would be run again
            gates.cannot_find_out(config, "ResumeCallback", error)


def _go_on(config: DictConfig, ready: _Ready) -> None:
    resume, code = ready.resume, loaded_code()
    wanted = Wanted(
        ignore=resume.ignore,
        skip=resume.skip,
        looks_at_values=looks_at_values(config),
    )
    root = identify_run(config).root
    before = [Before(config, record, here=record.root == root) for record in ready.before]
    wanted = _as_the_code_is(before, code, wanted, resume.on_changed_code)
    policy = Resumes(config, before, code, wanted)
    put_in_place(config, policy)
    jobs = sweep_jobs(config) if before else None
    notes_of(config)["left"] = None
    if jobs is not None:
        with contextlib.suppress(HydraException, OmegaConfBaseException):  # Hydra is about to refuse the sweep
            notes_of(config)["left"] = policy.plan(jobs)


def _as_the_code_is(before: Sequence[Before], code: dict[str, str], wanted: Wanted, on_changed_code: str) -> Wanted:
    if on_changed_code == "ignore":
        return wanted
    for each in before:
        changed = changed_modules(each.asked.code, code)
        known = f"the code has changed since: {', '.join(changed)}" if changed else ""
        unknown = "" if each.asked.code else "what the code was then is not on record"
        if known or (unknown and on_changed_code == "run"):
            what = "all jobs are run again" if on_changed_code == "run" else "what was done with it counts all the same"
            _log.warning("The sweep in %s: %s; %s (%s.on_changed_code).", each.record.root, known or unknown, what, _OPTION)
            if on_changed_code == "run":
                return wanted._replace(skip=())
    return wanted


def _run_here(config: DictConfig, root: Path, resume: Resume, stack: contextlib.ExitStack) -> RunRecord | None:
    """The sweep in its own directory that goes on; nobody else lets it go on at the same time."""
    if not (root / JOURNAL_DIR).is_dir():
        return None

    def is_gone(process: ProcessIdentity) -> bool:
        alive = None if process == this_process() else is_alive(process)
        return process == this_process() or (resume.assume_gone if alive is None else not alive)

    try:
        stack.enter_context(turn_of_a_sweep(root, is_gone))
    except NotOurTurnError as error:
        _refuse(config, f"The sweep in {root} does not go on: {_whose_turn(error)}")
    record = latest_sweep(config, root, resume.sight)
    if record is not None and not record.over:
        _refuse(config, f"The sweep in {root} does not go on: {_who_runs(record)}")
    if record is not None and record.status == "RUNNING" and not is_basic_sweeper(config.hydra.sweeper):
        _refuse(
            config,
            f"The sweep in {root} does not go on: jobs of it still run or wait, and its sweeper chooses by what they come "
            f"to{_unseen(record)}. Wait for their end, or end them.",
        )
    if record is None:
        stack.close()
    return record


def _whose_turn(other: NotOurTurnError) -> str:
    if other.holder is None:
        return (
            f"somebody is about to let it go on. Wait for its end, and start this again; if nobody is, remove {other.file}."
        )
    who = f"process {other.holder.pid} on {other.holder.host} is about to let it go on"
    if is_alive(other.holder):
        return f"{who}. Wait for its end, and start this again if anything is left."
    return f"{who}, or was: whether it is gone cannot be seen from here. If it is: {_OPTION}.assume_gone=true."


def _who_runs(record: RunRecord) -> str:
    unseen = _unseen(record)
    if unseen:
        return f"whether it still runs cannot be seen from here{unseen}. If it is gone: {_OPTION}.assume_gone=true."
    return f"it still runs on {record.host}. Wait for its end, or end it."


def _unseen(record: RunRecord) -> str:
    said = silence.of_run(record) if record.silent_since is not None else ""
    return f" ({said})" if said else ""


def _run_elsewhere(config: DictConfig, root: Path, resume: Resume) -> RunRecord | None:
    """The sweep that `resume_from` names."""
    if resume.resume_from is None:
        return None
    if resume.resume_from != LATEST:
        there = absolute_directory(config, resume.resume_from)
        record = latest_sweep(config, there, resume.sight) if there != root else None
        if record is None and there != root:
            _refuse(
                config,
                f"{_OPTION}.resume_from={resume.resume_from} holds no sweep of this app: {there} has none on record. "
                "Write the directory of a sweep, or latest.",
            )
        return record
    newest = newest_sweep(config, root, resume.sight)
    if newest is None:
        _log.info("There is no earlier sweep of this app to take jobs over from: all jobs are run.")
    return newest


def _refuse(config: DictConfig, why: str) -> None:
    gates.refuse(config)
    abort(config, why, log=_log)


@at_exit
def _give_turns_back() -> None:
    for (pid, _), ready in list(_ready.items()):
        if pid == os.getpid():
            ready.turn.close()
