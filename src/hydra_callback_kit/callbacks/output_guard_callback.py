"""`output_guard_callback`: no run into a directory that holds another one, and none onto a full disk."""

import shlex
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from omegaconf import DictConfig

from hydra_callback_kit.configs.identity import UNKNOWN, identify_run
from hydra_callback_kit.configs.joining import goes_on_elsewhere, run_that_goes_on
from hydra_callback_kit.configs.known_secrets import redaction_of
from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.hooks import gates
from hydra_callback_kit.hooks.abort import abort
from hydra_callback_kit.hooks.parameters import one_of, size_in_bytes
from hydra_callback_kit.hooks.recording import RecordingCallback
from hydra_callback_kit.journal.batch_system import Slurm
from hydra_callback_kit.journal.claim import Claim, claim_of, lay_claim
from hydra_callback_kit.journal.command_line import as_typed, command_line
from hydra_callback_kit.journal.identity import RunIdentity
from hydra_callback_kit.journal.life import Sight
from hydra_callback_kit.journal.printable import printable
from hydra_callback_kit.journal.process import is_alive
from hydra_callback_kit.journal.rank import Rank, rank_of_this_process
from hydra_callback_kit.journal.reader import read_journal
from hydra_callback_kit.journal.records import BrokenLine, RunRecord
from hydra_callback_kit.journal.safe_log import SafeLogger
from hydra_callback_kit.views import silence, wording

log = SafeLogger("hydra_callback_kit.output_guard_callback")

RANK_WAIT_S: Final = 2.0
"""How long a rank waits for what is in its directory to turn out to be the run of rank 0."""

MAX_NAMED: Final = 5
"""Broken lines of a journal that are named."""

_ALL_THE_SAME: Final = "or run all the same with hydra.callbacks.output_guard_callback.policy=warn."
_GOES_ON: Final = "or expect files of both runs there: policy is warn, and the run goes on."
_OUT_OF_SIGHT: Final = "Whether it still runs cannot be seen from here"


class OutputGuardCallback(RecordingCallback):
    """Refuses to run into a directory that already holds a finished or a running run, and onto a disk that is too full.

    Asked is for the output directory of a single run and for the directory of a sweep, before any other callback of this
    package acts. Of two processes that start at once in the same directory exactly one runs. A run counts as finished when
    it has completed or failed; one that was interrupted may be started again, and so may one that a callback aborted before
    its first job. What a run without this package left (`.hydra`, `multirun.yaml`) counts as finished, and so does a journal
    that cannot be read whole (a last line that is torn counts as read). A job that Slurm requeues, or starts again as a
    later step, what torchrun starts again, and what `hydra-callback-kit rerun` starts, are not refused, and the ranks of a
    distributed job are one run. A run of another machine or another container cannot be seen from
    here: it counts as running until its end is on record, or Slurm's `squeue`, which is asked once, says that its job is
    gone. So does one whose jobs may still be queued, and one whose claim cannot be read.

    Args:
        policy: `abort`: say whose run it is and stop with exit code 1, before any job; `warn`: log it and go on.
        min_free_bytes: how much the disk must have free, or the run is refused: a number of bytes, or one with a unit such
            as `10GB` or `500MiB`; null for any.

    Raises:
        ParameterError: if `policy` is another word, or `min_free_bytes` is no size.
        AbortRun: from the start hook, if the run is refused.

    Files:
        `.callbacks/claim-<number>.json` (JSON) in the same directory: who started the run there, on which machine and when.
        `.callbacks/*.jsonl` beside it: the journal (JSON lines). A run that is refused leaves neither.

    Example:
        ```yaml
        defaults:
          - callbacks: [output_guard_callback]
          - _self_

        hydra:
          run:
            dir: results/baseline
          callbacks:
            output_guard_callback:
              min_free_bytes: 10GB
        ```
    """

    fails_closed = True
    on_every_rank = True  # one that comes before rank 0 would go on where rank 0 is refused

    def __init__(self, policy: str = "abort", min_free_bytes: float | str | None = None) -> None:
        self.policy = one_of("policy", policy, ("abort", "warn"))
        self.min_free_bytes = None if min_free_bytes is None else size_in_bytes("min_free_bytes", min_free_bytes)
        self._asked_for = str(min_free_bytes)

    def before_the_run(self, config: DictConfig) -> None:
        """Claims the run's output directory or the sweep's directory, or refuses to run."""
        asked = notes_of(config).setdefault("guarded", [])
        if [self.policy, self.min_free_bytes] not in asked:  # as a gate, before the other callbacks
            asked.append([self.policy, self.min_free_bytes])
            rank = rank_of_this_process()
            if rank is None or rank.number == 0:
                self._guard(config)
            else:
                self._guard_rank(config, rank)

    def _guard(self, config: DictConfig) -> None:
        run = identify_run(config)
        key = "hydra.sweep.dir" if run.mode == "MULTIRUN" else "hydra.run.dir"
        refusals: list[str] = []
        try:
            refusals.append(self._full_disk(run.root, key))
            if not refusals[0] or self.policy == "warn":
                refusals.append(self._occupied(config, run, key))
        except OSError as error:  # a claim that cannot be read is somebody's, and one that cannot be made is not ours
            refusals.append(f"{run.root} cannot be claimed: {error}.\n{self._what_to_do(key)}")
        if run.goes_on and not any(refusals):
            log.info("%s holds this sweep, which goes on there.", run.root)
        for refusal in filter(None, refusals):
            if self.policy == "abort":
                gates.refuse(config)
                abort(config, f"The run was refused: {printable(refusal)}", log=log)
            log.caution("%s", refusal)

    def _guard_rank(self, config: DictConfig, rank: Rank) -> None:
        """Lets a rank into the run of rank 0. Where that is not there yet, the directory is to be as free as for rank 0."""
        until_s = time.monotonic() + RANK_WAIT_S
        while (run := identify_run(config)).run_id == UNKNOWN:
            occupant = "" if run_that_goes_on(config, run.root, run.mode) else self._occupant_of(config, run)
            if not occupant or self.policy == "warn":
                from hydra_callback_kit.journal.meeting import say_it_came_first  # noqa: PLC0415  most jobs are one process

                if not _left_by_hydra(config, run.root):  # which is about to leave something there
                    say_it_came_first(run.root, rank)
                return
            if time.monotonic() > until_s:
                gates.refuse(config)
                abort(config, f"Rank {rank.number} was refused: {run.root} already holds {printable(occupant)}", log=log)
            time.sleep(0.05)  # it may be the run of rank 0, which has just claimed it

    def _occupant_of(self, config: DictConfig, run: RunIdentity) -> str:
        found: list[str] = []
        mine = claim_of(run, redaction_of(config).of_command(command_line().words))

        def is_free(holder: Claim | None) -> bool:
            found.append(_occupant(config, run, holder, mine))
            return False

        lay_claim(run.root, mine, is_free)
        return found[-1]

    def _full_disk(self, root: Path, key: str) -> str:
        if self.min_free_bytes is None:
            return ""
        there = next(parent for parent in (root, *root.parents) if parent.exists())
        free = shutil.disk_usage(there).free
        if free >= self.min_free_bytes:
            return ""
        return (
            f"the disk of {root} has {wording.size(free)} free, and min_free_bytes={self._asked_for} asks for "
            f"{wording.size(self.min_free_bytes)}.\nFree some space, choose another {key}, or ask for less with "
            "hydra.callbacks.output_guard_callback.min_free_bytes."
        )

    def _occupied(self, config: DictConfig, run: RunIdentity, key: str) -> str:
        if run.rerun:
            return ""
        mine = claim_of(run, redaction_of(config).of_command(command_line().words))
        found: list[str] = []

        def is_free(holder: Claim | None) -> bool:
            found[:] = [_occupant(config, run, holder, mine)]
            return not found[0] or self.policy == "warn"

        lay_claim(run.root, mine, is_free)
        return f"{run.root} already holds {found[0]}\n{self._what_to_do(key)}" if found and found[0] else ""

    def _what_to_do(self, key: str) -> str:
        return f"Choose another {key}, move that directory away, {_ALL_THE_SAME if self.policy == 'abort' else _GOES_ON}"


def _occupant(config: DictConfig, run: RunIdentity, holder: Claim | None, mine: Claim) -> str:
    """Whose run a directory holds that is finished, or that runs as far as is known; empty if it is free."""
    journal = read_journal(run.root, sight=Sight(batch_system=Slurm()))
    if journal.broken_lines:
        return f"a journal that cannot be read whole, so whose runs it holds is not known:{_named(journal.broken_lines)}"
    return "" if run.goes_on else _another_run(config, run, holder, mine, journal.runs)  # what lies there may be its own


def _another_run(config: DictConfig, run: RunIdentity, holder: Claim | None, mine: Claim, there: Sequence[RunRecord]) -> str:
    runs = [known for known in there if known.run_id != run.run_id]
    restarted = holder is not None and mine.is_restart_of(holder)
    recorded = holder is not None and any(known.run_id == holder.run_id for known in runs)
    if holder is not None and not recorded and not restarted:
        alive = is_alive(holder.process)
        if alive is not False:
            return f"a run that is just starting\n{_who(holder)}" + (
                "" if alive else f"\n{_OUT_OF_SIGHT}: its process is on another machine or in another container."
            )
    for known in reversed(runs):
        of_holder = holder if holder is not None and known.run_id == holder.run_id else None
        starts_again = restarted and of_holder is not None and not goes_on_elsewhere(known)
        if known.status == "RUNNING" and not starts_again:
            return f"a run that still runs: {_what(known, of_holder)}{_is_out_of_sight(known)}"
        if known.jobs and (known.status == "COMPLETED" or (known.status == "FAILED" and not starts_again)):
            return f"a run that is {known.status}: {_what(known, of_holder)}"
    left = [] if runs else _left_by_hydra(config, run.root)
    rank = rank_of_this_process() if left else None
    if rank is not None:
        from hydra_callback_kit.journal.meeting import another_came_first  # noqa: PLC0415  most jobs are one process

        if another_came_first(run.root, rank):
            return ""
    return f"what a run without a record has left: {', '.join(left)}" if left else ""


def _left_by_hydra(config: DictConfig, root: Path) -> list[str]:
    """What a run without a record has left, by which Hydra's runs are known."""
    return [name for name in (config.hydra.output_subdir, "multirun.yaml") if name and (root / name).exists()]


def _is_out_of_sight(running: RunRecord) -> str:
    """Where a run counts as running only because nobody knows better: that, and what to type."""
    said = silence.of_run(running)
    if running.silent_since is None:
        return ""
    again = f"hydra-callback-kit rerun {shlex.quote(str(running.root))} --assume-gone"
    return f"\n{_OUT_OF_SIGHT}: {said}.\nIf it is gone, {again} lists the commands that run its jobs again."


def _named(broken: Sequence[BrokenLine]) -> str:
    more = f"\n  and {len(broken) - MAX_NAMED} more" if len(broken) > MAX_NAMED else ""
    return "".join(f"\n  {line}" for line in broken[:MAX_NAMED]) + more


def _what(known: RunRecord, holder: Claim | None) -> str:
    """Its jobs, and who started it; a run that was started without the guard has left no name."""
    counted = wording.status_counts(known)
    if holder is not None:
        return f"{counted}\n{_who(holder)}"
    command = as_typed(known.facts)
    return f"{counted}\n  started at {known.started_at}" + (f"\n  {shlex.join(command)}" if command else "")


def _who(holder: Claim) -> str:
    return f"  started by {holder.user} on {holder.host} (process {holder.pid}) at {holder.claimed_at}\n  {holder.command}"
