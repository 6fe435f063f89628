"""`keep_best_callback`: of a sweep's jobs only the best keep their checkpoints."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from hydra.core.utils import JobReturn
from hydra.types import TaskFunction
from omegaconf import DictConfig

from hydra_callback_kit.configs.identity import identify_job, identify_run, starts_a_sweep
from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.configs.objectives import sweep_directions
from hydra_callback_kit.hooks import parameters
from hydra_callback_kit.hooks.abort import abort
from hydra_callback_kit.hooks.deleting import CAN_DELETE
from hydra_callback_kit.hooks.end_of_run import run_at_its_end
from hydra_callback_kit.hooks.globs import globs_below
from hydra_callback_kit.hooks.job_recorder import how_it_ended, record_job_facts
from hydra_callback_kit.hooks.keeping import Found, Kept, delete, look, would_delete
from hydra_callback_kit.hooks.log_files import open_log_files
from hydra_callback_kit.hooks.parameters import ParameterError
from hydra_callback_kit.hooks.recording import RecordingCallback
from hydra_callback_kit.hooks.run_links import link_name, point_to, remove_if_broken
from hydra_callback_kit.hooks.run_recorder import record_run_facts
from hydra_callback_kit.journal.format import CONFIGS
from hydra_callback_kit.journal.outcomes import LOG_FILES, Outcome
from hydra_callback_kit.journal.process import this_process
from hydra_callback_kit.journal.safe_log import SafeLogger
from hydra_callback_kit.launching.shared_disk import may_not_share_the_disk
from hydra_callback_kit.views import wording
from hydra_callback_kit.views.asked_ranking import KEPT_BY
from hydra_callback_kit.views.direction import known_direction
from hydra_callback_kit.views.kept_best import Deleted, deleted_in, other_values, sum_in_words
from hydra_callback_kit.views.metrics import metric_names
from hydra_callback_kit.views.whereabouts import deleted_for_it

log = SafeLogger("hydra_callback_kit.keep_best_callback")

_DOUBT: Final = "keep_best_said"
"""The note that it was said that nothing can be deleted."""

_HERE: Final = "keep_best_by"
"""The note that a callback of this class is on, and by which metric."""


class KeepBestCallback(RecordingCallback):
    """Deletes what the jobs of a sweep have left that others have done better than, while the sweep goes on.

    As a job completes, the process that ran it reads in the journal how the jobs have done that have completed so far. Once
    `keep` of them have done better than a job, what `what` names in that job's directory is deleted. Who is worse than so
    many of some jobs is worse than so many of all: so two processes that decide at once delete no file of one of the best,
    whatever each of them sees. As the sweep ends, its own process looks once more.

    Equals: the job with the lower number is the better one. NaN, and trials that were pruned (`optuna.TrialPruned`), do no
    better than any other. Jobs that failed, were interrupted or still run, and those that completed without the metric, keep
    what they left: they may go on from a checkpoint, or nobody knows how good they are. Jobs are compared one by one, not
    averaged over seeds. A single run keeps everything.

    Whatever `what` says, this is not deleted: what Hydra writes in `hydra.output_subdir`, and log files (`*.log`, and what
    `hydra.job_logging` writes); the journal; what trackers, launchers and callbacks of this package have written
    (`metrics.jsonl`, `resources.csv`, `tensorboard`, `wandb`, `mlruns`, `.submitit`); directories of other jobs or runs
    within the job's. Links are removed and not followed, and nothing is deleted on another file system. In doubt nothing is
    deleted: of a job whose directory is another's as well, by whatever path, lies outside of the sweep's, is a link, or
    holds another run's record; of one whose ranks have not all ended; what is older than the sweep, or changes meanwhile;
    and in a sweep directory that holds another run's record as well. No sweep starts with two callbacks of this class.

    Args:
        metric: what jobs are judged by: a key of what they return, dotted where it is nested (`test.accuracy`),
            `return_value` for a bare number, or the name of a metric that they report by `report_metrics` (its last value;
            with `.min` or `.max` behind it that one).
        mode: whether `max` or `min` of it is the best; null for the sweeper's direction (`hydra.sweeper.direction`) where
            `metric` is `return_value`, else for what the name says: `min` for a loss or an error, `max` for an accuracy or a
            score. Where neither says it, no sweep starts. The log says which it is.
        keep: how many jobs keep what they left, 1 or more.
        what: globs in a job's directory, relative to it, for what the others do not keep. `*` matches within a name, `**`
            any number of directories: `*.ckpt` lies in the directory itself, `**/*.ckpt` anywhere below, `**` is all of it.
            A directory that matches goes with all that lies in it.
        dry_run: whether nothing is deleted, and the end of the sweep only says what would have been.
        link: the name of a link to the directory of the best job so far, beside `latest`; null for none.

    Raises:
        ParameterError: if there is no `metric`, `mode` is another word, `keep` is less than 1, `what` is empty or leads out
            of the job's directory, or `link` has a `/` in it or is `latest`.

    Files:
        `best`: a symbolic link to the directory of the best job, where `latest_run_callback` has its own: above the first
        part of `hydra.sweep.dir` that comes from `${now:...}`; where such links cannot be made `best.txt`.
        `.callbacks/*.jsonl` in the sweep directory: the journal (JSON lines), where the run has facts `kept_best_*`: of each
        job of which something was deleted, how many files, and how many bytes; and the fact `kept_by`: `metric` and `mode`.

    Example:
        ```yaml
        defaults:
          - callbacks: [keep_best_callback]
          - _self_

        hydra:
          callbacks:
            keep_best_callback:
              metric: accuracy
              keep: 3
              what: ["*.ckpt"]
        ```
    """

    def __init__(
        self,
        metric: str | None = None,
        mode: str | None = None,
        keep: int = 3,
        what: Sequence[str] = ("*.ckpt",),
        dry_run: bool = False,
        link: str | None = "best",
    ) -> None:
        if metric is None or not str(metric).strip():
            advice = "Write for example metric=accuracy, or metric=return_value where jobs return a number."
            raise ParameterError("metric", metric, "the name of a metric", advice)
        if isinstance(keep, bool) or not isinstance(keep, int) or keep < 1:
            raise ParameterError("keep", keep, "a whole number of jobs, 1 or more", "Write keep=3.")
        best = parameters.direction("mode", mode)
        self.kept = Kept(str(metric), best, keep, tuple(globs_below("what", what, "['*.ckpt'] or ['checkpoints/**']")))
        self.dry_run = bool(dry_run)
        if link == "latest":
            raise ParameterError("link", link, "another name than that of the link to the latest run", "Write link=best.")
        self.link = None if link is None else link_name("link", link, "best")

    def before_the_run(self, config: DictConfig) -> None:
        """Stops a sweep of which too much could be deleted: that cannot be undone."""
        if not starts_a_sweep(config):
            return
        notes, metric = notes_of(config), self.kept.metric
        if _HERE in notes:
            abort(
                config,
                "Nothing was started: the config has two callbacks of class KeepBestCallback, and one would delete what is "
                f"the best to the other (by {notes[_HERE]}, by {metric}). Leave one, with a keep that is large enough.",
            )
        notes[_HERE] = metric
        if self.kept.mode is None and known_direction({"directions": sweep_directions(config)}, metric) is None:
            abort(
                config,
                f"Nothing was started: the name {metric!r} does not say whether the largest or the smallest is the best, "
                "and what is deleted cannot be had back. Write mode=max or mode=min for keep_best_callback.",
            )

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Says who keeps what, and where nothing can be deleted; whoever looks at the sweep finds the same jobs the best."""
        kept, direction = self.kept, self.kept.direction(config)
        record_run_facts(config, {KEPT_BY: {"metric": kept.metric, "mode": direction}})
        best = "largest" if direction == "max" else "smallest"
        jobs = "job" if kept.keep == 1 else f"{kept.keep} jobs"
        tried = " (dry_run: nothing is deleted)" if self.dry_run else ""
        keep = "keeps" if kept.keep == 1 else "keep"
        log.info("Only the %s with the %s %s %s %s%s", jobs, best, kept.metric, keep, ", ".join(kept.what), tried)
        doubt = look(config, kept).doubt if CAN_DELETE else "this system cannot do it without following links"
        if doubt:
            notes_of(config)[_DOUBT] = True
            log.caution("Nothing is deleted: %s.", doubt)

    def on_job_start(self, config: DictConfig, *, task_function: TaskFunction, **kwargs: Any) -> None:
        """Puts on record which log files the job writes: another job, with another config, may delete around them."""
        log_files = open_log_files()
        if log_files:
            record_job_facts(config, {}, {LOG_FILES: log_files})

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:
        """Deletes what need not be kept any more, now that one more job has completed."""
        job = identify_job(config)
        if job.run.mode != "MULTIRUN" or how_it_ended(config).status != "COMPLETED":
            return
        found = look(config, self.kept)
        if self._deletes and not found.doubt:
            delete(config, self.kept, found, log)
        best = found.standing.best[0] if found.standing.best else None
        if best is not None and best.job_num == job.job_num and not job.run.rerun and "kept_lines" not in notes_of(config):
            self._link(config, best)

    def at_the_end(self, config: DictConfig) -> None:
        """Looks once more, and says what was kept and what was deleted."""
        run = identify_run(config)
        if run.mode != "MULTIRUN" or run.rerun:
            return
        found = look(config, self.kept, at_all=True)
        doubts = {}
        if self._deletes and not found.doubt:
            doubts = delete(config, self.kept, found, log, again=True)
        if found.standing.best:
            self._link(config, found.standing.best[0])
        if self.link is not None:
            remove_if_broken(config, self.link)
        self._say(config, found, doubts)

    @property
    def _deletes(self) -> bool:
        return CAN_DELETE and not self.dry_run

    def _link(self, config: DictConfig, best: Outcome) -> None:
        """Of several jobs that do so at once the last finds the record of all, and points to the best."""
        while self.link is not None and best.directory is not None:
            if point_to(config, self.link, identify_run(config).root / best.directory, log, "the best job") is None:
                return
            again = look(config, self.kept).standing.best
            if not again or again[0].job_num == best.job_num:
                return
            best = again[0]

    def _say(self, config: DictConfig, found: Found, doubts: dict[int, str]) -> None:
        run = run_at_its_end(config, without=CONFIGS)
        kept, best = self.kept, found.standing.best
        if not found.any_value:
            if run.count("COMPLETED"):
                for job in run.jobs:
                    job.facts = {}  # a fact is no metric here
                other = next(other_values(run.jobs, kept.metric), None)
                unknown = wording.unknown_metric(kept.metric, metric_names(run.jobs))
                why = unknown if other is None else f"{other!r} is not a number that jobs can be judged by."
                log.caution("metric=%s: nothing is deleted. %s", kept.metric, why)
            return
        if found.doubt and found.standing.worse and _DOUBT not in notes_of(config):
            log.caution("Nothing is deleted any more: %s.", found.doubt)
        deleted = deleted_in(run.facts)
        elsewhere = _elsewhere(config, found, deleted)
        if elsewhere:
            log.caution("What %s left is not on this machine, and is kept where it is.", wording.named_jobs(elsewhere))
        what = ", ".join(kept.what)
        names = ", ".join(f"{each.job_num} ({each.value:.6g})" for each in best)
        which = f"{'jobs' if len(best) > 1 else 'job'} {names}" if best else "none, for it is NaN in all of them"
        log.info("Best by %s (%s): %s", kept.metric, kept.direction(config), which)
        if self.dry_run:
            counted, doubts = would_delete(config, kept.what, found)
            none = f"no file of the worse jobs matches {what}"
            log.info("dry_run: nothing is deleted. It would be: %s", _in_words(counted) if counted else none)
        elif deleted:
            log.info("Deleted: %s", _in_words(deleted))
        elif self._deletes and found.standing.worse and not found.doubt and not elsewhere and not doubts:
            self._say_that_nothing_matched(config, found, sent=any(map(deleted_for_it, run.jobs)))
        for doubt in dict.fromkeys(doubts.values()):
            jobs = wording.named_jobs([num for num, why in doubts.items() if why == doubt])
            log.caution("Not all that %s left was deleted: %s.", jobs, doubt)

    def _say_that_nothing_matched(self, config: DictConfig, found: Found, *, sent: bool) -> None:
        if sent:
            log.info("Deleted: nothing, for upload_callback has sent what jobs left, and deleted it here (delete_local)")
            return
        what = self.kept.what
        deeper = [f"**/{glob}" for glob in what if not glob.startswith("**")]
        there = would_delete(config, deeper, found)[0] if deeper else {}
        hint = f" In their subdirectories are {sum_in_words(there.values())}: write what={deeper}." if there else ""
        log.caution("Nothing was deleted: no file of the worse jobs matches %s.%s", ", ".join(what), hint)


def _in_words(deleted: Mapping[int, Deleted]) -> str:
    return f"{sum_in_words(deleted.values())} of {wording.named_jobs(deleted)}"


def _elsewhere(config: DictConfig, found: Found, deleted: Mapping[int, Deleted]) -> list[int]:
    """The worse jobs whose directories are on another machine's disk, where nothing of them was deleted."""
    root, here = identify_run(config).root, None if may_not_share_the_disk(config) else this_process().host
    others = [each for each in found.standing.worse if each.host != here and each.job_num not in deleted]
    return [each.job_num for each in others if each.directory is not None and not (root / each.directory).is_dir()]
