"""Which run and which job a config belongs to, the same answer in every hook and in every process."""

import datetime as dt
import os
import re
from pathlib import Path
from typing import Final

from omegaconf import DictConfig, OmegaConf

from hydra_callback_kit.configs.directories import directory_of
from hydra_callback_kit.configs.given_overrides import task_overrides
from hydra_callback_kit.configs.joining import run_of_rank_0, run_that_goes_on
from hydra_callback_kit.configs.known_secrets import redaction_of
from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.configs.reading import known_value
from hydra_callback_kit.journal.format import JOURNAL_DIR, Mode
from hydra_callback_kit.journal.identity import JobIdentity, RunIdentity
from hydra_callback_kit.journal.rank import attempt_of, is_worker, own_start, rank_of_this_process

UNKNOWN: Final = ""
"""The id of the run that a rank works for, as long as nobody knows it. Nothing is written of it."""

_OF_A_RERUN: Final = r"([0-9]{8}T[0-9]{12}-[0-9a-f]{8})_[0-9]+"
_OF_A_SWEEP_AGAIN: Final = r"([0-9]{8}T[0-9]{12}-[0-9a-f]{8})_jobs_([0-9.-]+)"


def note_mode(config: DictConfig, mode: Mode) -> None:
    """Notes what a config starts, as the hook that was called says: `hydra.mode` says it only where `hydra.main` set it.

    Args:
        config: the config of `on_run_start` or `on_multirun_start`.
        mode: `RUN` or `MULTIRUN`.
    """
    notes_of(config).setdefault("mode", mode)


def starts_a_sweep(config: DictConfig) -> bool:
    """Tells whether this process starts a sweep, or lets one go on; one that runs a single job of it again does not.

    Args:
        config: the config of `on_run_start` or `on_multirun_start`.
    """
    notes = notes_of(config)
    return notes.get("mode") == "MULTIRUN" and not notes.get("rerun")


def note_run(config: DictConfig, run: RunIdentity) -> None:
    """Notes which run a config is of: `identify_run` knows it from then on.

    Args:
        config: any config.
        run: its run.
    """
    notes_of(config).update({**run._asdict(), "root": str(run.root)})


def identify_run(config: DictConfig) -> RunIdentity:
    """Tells the run of a config; the first call on a run's config names the run, and the name travels to its jobs.

    Args:
        config: the config that Hydra handed to any hook.

    Raises:
        DirectoryNotKnownError: if the config does not say where the run goes.

    Returns:
        The same identity for the run's config and for the configs of all its jobs. A single run that `rerun_overrides` made
        of a job belongs to the run of that job, and so does a sweep that `sweep_again_overrides` made of several. A rank of
        a distributed job belongs to the run of rank 0; as long as that is not to be found, it has the run `UNKNOWN`.
    """
    notes = notes_of(config)
    if "run_id" not in notes:
        mode: Mode = notes.get("mode") or _mode_of(config)
        of_run = _run_that_it_belongs_to(config) if mode == "RUN" else _sweep_again(config)[0]
        root = directory_of(config, "hydra.sweep.dir" if mode == "MULTIRUN" or of_run else "hydra.run.dir")
        met = run_of_rank_0(root, wait=True) if rank_of_this_process() is not None else None
        if met is None and is_worker():
            return RunIdentity(UNKNOWN, root, mode)
        of_sweep = mode == "RUN" and of_run and directory_of(config, "hydra.run.dir") != root
        if met is not None:
            root, mode = met.run.root, met.run.mode
            notes["start"], notes["first_job"] = met.start, met.first_job
        elif rank_of_this_process() is not None:
            notes["start"] = os.urandom(6).hex()
        run_id = of_run or (met and met.run.run_id) or run_that_goes_on(config, root, mode) or _new_run_id(root)
        again = of_run is not None
        note_run(
            config,
            RunIdentity(
                run_id,
                root,
                "MULTIRUN" if of_sweep else mode,
                rerun=again and mode == "RUN",
                goes_on=again and mode == "MULTIRUN",
            ),
        )
    return RunIdentity(notes["run_id"], Path(notes["root"]), notes["mode"], notes["rerun"], notes["goes_on"])


def identify_job(config: DictConfig) -> JobIdentity:
    """Tells the job of a config; the first call on a job's config begins a new attempt.

    Args:
        config: the config that Hydra handed to `on_job_start` or `on_job_end`.

    Returns:
        The same identity in all hooks of one attempt, and in all ranks that make it; of a rank whose run is not known yet
        it is not the last word.
    """
    notes = notes_of(config)
    if "job" not in notes or notes["job"].run.run_id == UNKNOWN:
        hydra = config.hydra
        job = hydra.job
        redaction = redaction_of(config)
        run, rank = identify_run(config), rank_of_this_process()
        job_num = job.get("num") or 0  # `get`, unlike the attribute, takes a missing value for None
        start = own_start()
        if rank is not None and job_num >= notes.get("first_job", 0):  # the sweep of Lightning's rank has earlier ones, too
            start = notes.get("start") or rank.job
        notes["job"] = JobIdentity(
            run=run,
            job_num=job_num,
            attempt=attempt_of(start, job_num, _times_started(run, job_num)),
            pid=os.getpid(),
            job_id=job.get("id"),
            job_name=redaction.of_text(job_name(config)),
            overrides=tuple(redaction.of_overrides(task_overrides(config))),
            output_dir=Path(hydra.runtime.output_dir),
            rank=0 if rank is None else rank.number,
        )
    identity: JobIdentity = notes["job"]
    return identity


_started: Final[dict[tuple[int, str], dict[int, int]]] = {}
"""How often a process has started the jobs of a run, by both."""


def _times_started(run: RunIdentity, job_num: int) -> int:
    """How often this process has started a job before, if its run is known."""
    if run.run_id == UNKNOWN:
        return 0
    jobs = _started.setdefault((os.getpid(), run.run_id), {})
    jobs[job_num] = jobs.get(job_num, -1) + 1
    return jobs[job_num]


def rerun_overrides(run_id: str, root: Path, job_num: int, output_dir: Path | None) -> list[str]:
    """Tells the overrides that make a single run of the app another attempt at a job.

    Hydra gives a single run neither a job number nor a job id; given both, it belongs to the run that the id names.

    Args:
        run_id: the job's run.
        root: where the run's journal lies now, absolute.
        job_num: the job's number.
        output_dir: the job's output directory, absolute; None for the one that the app's `hydra.sweep.subdir` says.

    Returns:
        Overrides of Hydra's own keys.
    """
    from hydra_callback_kit.journal.overrides import quoted_value  # noqa: PLC0415  no hook needs it

    directory = "${hydra.sweep.dir}/${hydra.sweep.subdir}" if output_dir is None else quoted_value(output_dir.as_posix())
    return [
        "hydra.mode=RUN",
        f"hydra.sweep.dir={quoted_value(root.as_posix())}",
        f"hydra.run.dir={directory}",
        f"hydra.job.num={job_num}",
        f"hydra.job.id={run_id}_{job_num}",
    ]


def sweep_again_overrides(run_id: str, root: Path, job_nums: str) -> list[str]:
    """Tells the overrides that make a sweep of the app, with the sweep's own overrides, the same sweep again.

    Hydra gives the config of a sweep no job id, and each job another one.

    Args:
        run_id: the run.
        root: the sweep's directory, where the journal lies now, absolute.
        job_nums: the jobs that are to be started, as `journal.job_numbers` writes them.

    Returns:
        Overrides of Hydra's own keys.
    """
    from hydra_callback_kit.journal.overrides import quoted_value  # noqa: PLC0415  no hook needs it

    return [
        "hydra.mode=MULTIRUN",
        f"hydra.sweep.dir={quoted_value(root.as_posix())}",
        f"hydra.job.id={run_id}_jobs_{job_nums}",
        # without a callback of this package, which the config may no longer choose, all jobs would start
        "++hydra.callbacks.rerun_launcher._target_=hydra_callback_kit.RecordingCallback",
    ]


def jobs_of_sweep_again(config: DictConfig) -> str | None:
    """Tells which jobs of a sweep are to be started, where `sweep_again_overrides` are among the overrides of its config.

    Args:
        config: the config of `on_multirun_start`.

    Returns:
        Their numbers, as `journal.job_numbers` writes them; None if it is a sweep of its own.
    """
    return _sweep_again(config)[1]


def is_another_attempt(config: DictConfig) -> bool:
    """Tells whether `rerun_overrides` are among the overrides of a config."""
    return _run_that_it_belongs_to(config) is not None


def job_name(config: DictConfig) -> str:
    """`hydra.job.name`, as it is written where only a resolver of the app's can tell."""
    node = config.hydra.job._get_node("name")  # noqa: SLF001  nothing is resolved on the way
    written = None if node is None else node._value()  # noqa: SLF001  as it is written
    name = known_value(config, "hydra.job.name") if isinstance(written, str) and "${" in written else None
    return str(written if name is None else name)


def _new_run_id(root: Path) -> str:
    """Names a run; of several in a directory the one that started last sorts last, whatever the clocks say."""
    started = f"{dt.datetime.now(dt.timezone.utc):%Y%m%dT%H%M%S%f}"
    if (root / JOURNAL_DIR).is_dir():
        from hydra_callback_kit.journal.reader import last_run_id  # noqa: PLC0415  most runs have a directory of their own

        last = last_run_id(root).partition("-")[0]
        if last >= started and re.fullmatch("[0-9]{8}T[0-9]{12}", last) and not last.endswith("999999"):
            started = f"{last[:-6]}{int(last[-6:]) + 1:06d}"
    return f"{started}-{os.urandom(4).hex()}"


def _mode_of(config: DictConfig) -> Mode:
    """Where no start was heard of."""
    return "MULTIRUN" if getattr(config.hydra.mode, "name", config.hydra.mode) == "MULTIRUN" else "RUN"


def _run_that_it_belongs_to(config: DictConfig) -> str | None:
    job = OmegaConf.select(config, "hydra.job")
    if job is None or job.get("num") is None:
        return None
    named = re.fullmatch(_OF_A_RERUN, str(job.get("id")))
    return named and named[1]


def _sweep_again(config: DictConfig) -> tuple[str | None, str | None]:
    """The run, and the numbers of its jobs."""
    job = OmegaConf.select(config, "hydra.job")
    if job is None or job.get("num") is not None:
        return None, None
    named = re.fullmatch(_OF_A_SWEEP_AGAIN, str(job.get("id")))
    return (named[1], named[2]) if named else (None, None)
