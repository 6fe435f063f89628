"""`resume_callback`: a sweep that was stopped goes on with the same command."""

from collections.abc import Sequence
from typing import Final

from omegaconf import DictConfig

from hydra_callback_kit.configs.identity import jobs_of_sweep_again, starts_a_sweep
from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.hooks.abort import abort
from hydra_callback_kit.hooks.parameters import ParameterError, one_of
from hydra_callback_kit.hooks.recording import RecordingCallback

_STATUSES: Final = ("COMPLETED", "FAILED", "INTERRUPTED")


class ResumeCallback(RecordingCallback):
    """Lets a sweep that is started again go on where it was: jobs that have completed are not run again.

    Start the same command again, into the same `hydra.sweep.dir`: what was killed, failed or never started is run, under
    its own number and in its own directory; of what has completed the sweeper gets the values that are on record. The
    record stays one run, so that the results table, the report and `hydra-callback-kit show` hold old and new jobs.

    Two jobs are the same if their configs are, as they are written, before interpolations are resolved, without `hydra`,
    without secret keys, and without the keys that `ignore` names. The number does not matter. Jobs that are new get numbers
    and directories that are free; those that are no longer asked for stay on record. Where nothing matches, the keys in
    which the jobs differ are named before anything runs. Works under every launcher, with Hydra's basic sweeper and with
    those that choose jobs as they go (Optuna with a seed). Does nothing in a single run.

    A job that may still run elsewhere (under submitit or RQ) is neither run nor taken over: a warning names it, and the exit
    code is 1. A sweep that still runs, or of which that cannot be seen from here, is not started a second time.

    Args:
        resume_from: another sweep whose jobs are taken over into this one: its directory, relative to where the app is
            started, or `latest`: the newest sweep of this app below the part of `hydra.sweep.dir` that does not change
            from start to start; null for none.
        ignore: config keys that do not matter, with all that lies below, such as `[device, num_workers]`.
        skip: the statuses of the jobs that are not run again: `COMPLETED`, `FAILED` (failures stay as they are, and so does
            the exit code) and `INTERRUPTED`.
        on_changed_code: what to do where one of the app's modules that are loaded as the sweep starts is another than
            before: `warn`; `run`: run all jobs again; or `ignore`.
        assume_gone: whether to take for gone what nobody here can know: a process on another machine or in another
            container, jobs in a queue.

    Raises:
        ParameterError: if `skip` or `on_changed_code` has another word, or `resume_from` is empty.
        AbortRun: from the start hook, before any job: if the sweep still runs or may run, if `resume_from` holds no sweep of
            this app, or if the config has no such key as one of `ignore`.

    Files:
        `.callbacks/*.jsonl` in the sweep directory: the journal (JSON lines), which says also what was asked of each job.

    Example:
        ```yaml
        defaults:
          - callbacks: [resume_callback]
          - _self_

        hydra:
          sweep:
            dir: sweeps/baseline
          callbacks:
            resume_callback:
              on_changed_code: ignore
        ```
    """

    fails_closed = True

    def __init__(
        self,
        resume_from: str | None = None,
        ignore: Sequence[str] = (),
        skip: Sequence[str] = ("COMPLETED",),
        on_changed_code: str = "warn",
        assume_gone: bool = False,
    ) -> None:
        if isinstance(skip, str) or isinstance(ignore, str):
            name, given = ("skip", skip) if isinstance(skip, str) else ("ignore", ignore)
            raise ParameterError(name, given, "a list", f"Write {name}=[{given}].")
        if resume_from is not None and not str(resume_from).strip():
            raise ParameterError(
                "resume_from", resume_from, "the directory of a sweep, latest, or null", "Write resume_from=null for none."
            )
        self.resume_from = None if resume_from is None else str(resume_from)
        self.ignore = list(map(str, ignore))
        self.skip = [one_of("skip", str(status), _STATUSES, form="[{}]") for status in skip]
        self.on_changed_code = one_of("on_changed_code", on_changed_code, ("warn", "run", "ignore"))
        self.assume_gone = assume_gone

    def before_the_run(self, config: DictConfig) -> None:
        """Refuses to start where it was not asked before the others."""
        if starts_a_sweep(config) and "resumes" not in notes_of(config):
            abort(
                config,
                "resume_callback decides before all other callbacks, and stands in hydra.callbacks itself: not inside "
                "another one, and as hydra_callback_kit.ResumeCallback. Write callbacks: [resume_callback].",
            )

    def decide(self, config: DictConfig) -> None:
        """Finds out which sweep goes on, or refuses to start; asked before the other callbacks.

        Args:
            config: that of the hook that starts the run.

        Raises:
            AbortRun: if it does not start.
        """
        if not starts_a_sweep(config) or notes_of(config).setdefault("resumes", False):
            return
        if jobs_of_sweep_again(config) is not None:
            return
        from hydra_callback_kit.hooks.resuming import Resume, ask_whether_it_goes_on  # noqa: PLC0415  few runs

        resume = Resume(self.resume_from, tuple(self.ignore), tuple(self.skip), self.on_changed_code, self.assume_gone)
        ask_whether_it_goes_on(config, resume)
