"""`dry_run_callback`: the jobs that a sweep would run, and nothing is run."""

import contextlib
import sys
from collections.abc import Iterator, Sequence

from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from hydra_callback_kit.checks.duplicates import duplicates
from hydra_callback_kit.configs.app_config import app_config
from hydra_callback_kit.configs.given_overrides import task_overrides
from hydra_callback_kit.configs.identity import identify_run
from hydra_callback_kit.configs.in_the_job import seen_by_the_job
from hydra_callback_kit.configs.known_secrets import redaction_of
from hydra_callback_kit.configs.shared_job_configs import job_configs
from hydra_callback_kit.configs.sweep_jobs import sweep_jobs
from hydra_callback_kit.hooks import gates
from hydra_callback_kit.hooks.abort import abort
from hydra_callback_kit.hooks.recording import RecordingCallback
from hydra_callback_kit.journal.errors import message_of
from hydra_callback_kit.journal.rank import is_worker
from hydra_callback_kit.views import wording
from hydra_callback_kit.views.dry_run import job_list
from hydra_callback_kit.views.yaml_text import config_text


class DryRunCallback(RecordingCallback):
    """Prints the jobs that a run or a sweep would run, and stops with exit code 0 before anything runs.

    The list goes to stdout: how many jobs there are, the overrides that they share, and a table of those they do not, in
    which duplicates are marked. No job starts, no directory is made, and no other callback of this package acts, wherever
    in the list it stands; but `validation_callback`, if it is there, checks all jobs first, and stops with exit code 1 if
    one is not valid. A sweeper other than Hydra's basic one chooses its jobs as it goes: then there is no list. Values of
    secret keys are redacted (see `RedactionCallback`).

    Args:
        show_config: whether to print each job's config as well, resolved, as the job would see it.

    Raises:
        AbortRun: from the start hook, with exit code 0.

    Files:
        None.

    Example:
        ```yaml
        # usually on the command line: python app.py -m lr=0.1,0.01 +callbacks=dry_run_callback
        defaults:
          - callbacks: [dry_run_callback]
          - _self_
        ```
    """

    fails_closed = True
    on_every_rank = True

    def __init__(self, show_config: bool = False) -> None:
        self.show_config = show_config

    def before_the_run(self, config: DictConfig) -> None:
        """Prints the jobs, and stops."""
        with _nothing_starts(config):
            if is_worker():
                return  # rank 0 shows them
            if identify_run(config).mode == "MULTIRUN":
                self._print_sweep(config)
            else:
                self._print_run(config)

    def _print_run(self, config: DictConfig) -> None:
        _print(job_list([_shown(config, task_overrides(config))], {}))
        if self.show_config:
            with seen_by_the_job(config):
                _print(config_text(*app_config(config)).rstrip())

    def _print_sweep(self, config: DictConfig) -> None:
        jobs = sweep_jobs(config)
        if jobs is None:
            sweeper = config.hydra.runtime.choices["hydra/sweeper"]
            _print(f"The sweeper ({sweeper}) chooses its jobs as it goes: none is known.")
            return
        shown = [_shown(config, job) for job in jobs]
        _print(job_list(shown, duplicates(jobs)))
        if self.show_config:
            self._print_configs(config, jobs, shown)

    def _print_configs(self, config: DictConfig, jobs: Sequence[Sequence[str]], shown: Sequence[Sequence[str]]) -> None:
        composed = job_configs(config)
        for job_num, overrides in enumerate(jobs):
            _print(f"\njob {job_num}: {wording.overrides(shown[job_num])}")
            try:
                job = composed.compose(job_num, overrides)
                with seen_by_the_job(job):
                    _print(config_text(*app_config(job)).rstrip())
            except (HydraException, OmegaConfBaseException, ValueError) as error:
                _print(f"cannot be composed: {redaction_of(config).of_text(str(error)).partition(chr(10))[0]}")


def _shown(config: DictConfig, overrides: Sequence[str]) -> list[str]:
    """Without secrets, and without what asked for the dry run."""
    return [override for override in redaction_of(config).of_overrides(overrides) if "dry_run_callback" not in override]


@contextlib.contextmanager
def _nothing_starts(config: DictConfig) -> Iterator[None]:
    """Stops the run, whatever becomes of the output: a pipe that nobody reads, a full disk, a closed stream."""
    said, exit_code = "This was a dry run: nothing was started.", 0
    try:
        yield
        sys.stdout.flush()
    except Exception as error:  # noqa: BLE001  whatever it is, nothing may start
        said, exit_code = f"{said} What would run cannot be shown: {message_of(error) or type(error).__name__}", 1
    gates.refuse(config)
    abort(config, said, exit_code)


def _print(text: str) -> None:
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(f"{text.encode(encoding, 'backslashreplace').decode(encoding)}\n")
