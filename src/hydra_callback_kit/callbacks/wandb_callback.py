"""`wandb_callback`: each job is a run in W&B, and those of a sweep are a group."""

import functools
import importlib.util
import os
import time
from collections.abc import Sequence
from typing import Any, Final

from hydra.core.utils import JobReturn
from hydra.types import TaskFunction
from omegaconf import DictConfig

from hydra_callback_kit.configs.identity import identify_job
from hydra_callback_kit.hooks.end_of_run import run_at_its_end
from hydra_callback_kit.hooks.facts import add_job_facts, add_run_facts
from hydra_callback_kit.hooks.job_recorder import record_job_config
from hydra_callback_kit.hooks.metric_recorder import listen
from hydra_callback_kit.hooks.parameters import NotInstalledError, ParameterError, one_of
from hydra_callback_kit.hooks.recording import RecordingCallback
from hydra_callback_kit.hooks.so_far import job_so_far, run_so_far
from hydra_callback_kit.hooks.tracker_parameters import filled, seconds, texts
from hydra_callback_kit.journal.format import CONFIGS
from hydra_callback_kit.journal.records import JobRecord
from hydra_callback_kit.journal.safe_log import SafeLogger
from hydra_callback_kit.trackers import wandb_library, wandb_running
from hydra_callback_kit.trackers.credentials import without_credentials
from hydra_callback_kit.trackers.patience import Patience, patience_of
from hydra_callback_kit.trackers.payload import payload_of_job
from hydra_callback_kit.trackers.syncing import Outcome, send_each
from hydra_callback_kit.trackers.wandb import TRACKER, Curves, Wanted, finish, is_over, start
from hydra_callback_kit.trackers.wandb_library import Chosen
from hydra_callback_kit.trackers.wandb_running import Running
from hydra_callback_kit.trackers.wandb_sending import note_begun, note_sent, place_of, send_job
from hydra_callback_kit.trackers.wandb_values import MAX_TAG, NOT_A_PROJECT, is_project, project_of

log = SafeLogger("hydra_callback_kit.wandb_callback")

_LEAST_S: Final = 1.0
"""How long at least the next best is waited for, in seconds, once the first has taken all the time."""


class WandbCallback(RecordingCallback):
    """Makes each job a run in Weights & Biases; those of a sweep are a group.

    While a task function runs, its job's run is `wandb.run`: what the app logs with `wandb.log` lands there, and so does
    what a library logs that looks for a run, such as Lightning's `WandbLogger`. The app calls neither `wandb.init` nor
    `wandb.finish`. A run that is still open from before is ended, so several jobs in one process are several runs.

    A run has the app's config, and below `hydra` where it comes from: `job_num`, `sweep_dir`, `output_dir`, `overrides`,
    `launcher`, `launcher_id`, `host`, `commit`. What the job reports with `report_metrics` is sent as it does, with `step`
    as its x-axis. At its end the numbers that it returned are in the summary. The run of a job that failed has failed in
    W&B, and its summary says why in `hydra/error`.

    Another attempt at a job (by `retry_callback`, `resume_callback`, `rerun` or a requeue) goes on in the same run, whose id
    is made of the run's id and the job's number.

    A job never fails because of W&B, and waits for it no longer than said. Where W&B cannot be reached, the job's run is
    kept offline: the app's own calls work all the same. `hydra-callback-kit sync PATH --to wandb` sends what is on record,
    and `wandb sync` what the app itself has logged, too.

    The command line, the console and the Git remote are not sent, for they may show secrets. Secrets in the config are
    hidden; see `RedactionCallback`. Variables of W&B's own, such as `WANDB_CONSOLE`, count before that.

    Args:
        project: the project. null: what W&B's own settings (`WANDB_PROJECT`) say, else `hydra.job.name`.
        entity: the user or team. null: what W&B's own settings (`WANDB_ENTITY`) say.
        group: the group of the runs. null: a sweep's name and id; a single run has none.
        job_type: W&B's word for what kind of job it is. null: none.
        tags: W&B's tags of all these runs.
        mode: `online`, `offline`, `disabled` or `shared`. null: what W&B's own settings (`WANDB_MODE`) say.
        log_config: whether the config is sent, and not the overrides alone.
        timeout_s: how long a job waits for W&B at its start and at its end, in seconds. After one wait that was too long,
            W&B is not asked again, and runs are kept offline.

    Raises:
        NotInstalledError: if W&B is not installed.
        ParameterError: if a text is blank, W&B takes no project of this name, `tags` is no list of texts of 1 to 64
            characters, `mode` is another one, or the time is not more than 0.

    Files:
        `.callbacks/*.jsonl` in the run's output directory or in the sweep directory: the journal (JSON lines), where jobs
        have the fact `wandb`: `run_id`, `project`, `entity`, `mode`, `url` and `sent`, which says whether all has reached
        W&B.
        `wandb/` beside it, or in `WANDB_DIR`: W&B's own files.

    Example:
        ```yaml
        defaults:
          - callbacks: [wandb_callback]
          - _self_

        hydra:
          callbacks:
            wandb_callback:
              project: my-study
              tags: [baseline]
        ```
    """

    def __init__(
        self,
        project: str | None = None,
        entity: str | None = None,
        group: str | None = None,
        job_type: str | None = None,
        tags: Sequence[str] = (),
        mode: str | None = None,
        log_config: bool = True,
        timeout_s: float = 10.0,
    ) -> None:
        if importlib.util.find_spec("wandb") is None:
            raise NotInstalledError(["wandb"], "wandb")
        self.project = filled("project", project, "a project's name", "my-study")
        if self.project is not None and not is_project(self.project):
            advice = f"Write project={project_of(self.project)}."
            raise ParameterError("project", project, f"a project's name: {NOT_A_PROJECT}", advice)
        self.entity = filled("entity", entity, "a user or a team", "my-team")
        self.group = filled("group", group, "a group's name", "my-sweep")
        self.job_type = filled("job_type", job_type, "a text", "train")
        self.tags = texts("tags", tags, MAX_TAG, "baseline")
        self.mode = None if mode is None else one_of("mode", mode, wandb_library.MODES)
        self.log_config = log_config
        self.timeout_s = seconds("timeout_s", timeout_s, 10)

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Records what is wanted, for `sync`."""
        self._set_up(config)

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Records what is wanted, for `sync`."""
        self._set_up(config)

    def _set_up(self, config: DictConfig) -> None:
        add_run_facts({TRACKER.name: self._wanted(patience_of(config, TRACKER, log))._asdict()}, config)

    def on_job_start(self, config: DictConfig, *, task_function: TaskFunction, **kwargs: Any) -> None:
        """Starts the job's run."""
        if self.log_config:
            record_job_config(config)
        wandb_library.load()
        curves, until_s = Curves(), time.monotonic() + self.timeout_s
        listen(config, curves.add)
        patience = patience_of(config, TRACKER, log, os.environ.get("WANDB_BASE_URL", ""))
        run, job, wanted = run_so_far(config), job_so_far(config, with_config=self.log_config), self._wanted(patience)
        payload, what = payload_of_job(run, job), f"the start of job {job.job_num}"
        chosen = patience.ask(what, self._chosen, self.timeout_s, is_local=True) or Chosen("disabled", "", None, None)
        alone = chosen.mode == "disabled" or wandb_running.expect(run.run_id, job.job_num)

        def started(mode: str) -> Running:
            place = place_of(run, job.job_num, wanted, chosen._replace(mode=mode), self.timeout_s)
            with wandb_running.starting(run.run_id, job.job_num, place):
                running = Running(start(place, payload, wanted, alone=alone), place, curves)
                if mode != "disabled":
                    self._say(running, config)
                    wandb_running.comes(run.run_id, job.job_num, running)
            return running

        modes = [chosen.mode, "offline", "disabled"]
        if chosen.mode in wandb_library.ONLINE:
            seen = patience.ask(what, lambda: wandb_library.reach(chosen.address, self.timeout_s), self.timeout_s / 2)
            modes = modes if seen else modes[1:]
        for mode in dict.fromkeys(modes):
            is_local = mode not in wandb_library.ONLINE
            if patience.ask(what, functools.partial(started, mode), _left_s(until_s), is_local=is_local) is not None:
                break

    def _chosen(self) -> Chosen:
        return wandb_library.chosen(self.mode, self.project, self.entity)

    def _say(self, running: Running, config: DictConfig) -> None:
        place = running.place
        note_begun(place)
        add_job_facts(_fact(running, sent=False), config)
        where = _url(running) or place.mode
        log.info("W&B: run %s of project %s, %s", place.run_id, place.project, where)

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:
        """Sends what came of the job, and ends its run."""
        job, patience = job_so_far(config, with_config=self.log_config), patience_of(config, TRACKER, log)
        payload, wanted = payload_of_job(run_so_far(config), job), self._wanted(patience)

        def end(running: Running) -> bool:
            finish(running.run, payload, self.timeout_s)
            if running.curves.problem is not None:
                raise running.curves.problem
            if job.status != "RUNNING":
                note_sent(running.place, payload, wanted)
            return job.status != "RUNNING"

        until_s = time.monotonic() + self.timeout_s
        running = wandb_running.ends(identify_job(config).run.run_id, job.job_num, end, self.timeout_s)
        if running is None:
            return
        what, is_online = f"the end of job {job.job_num}", running.place.mode in wandb_library.ONLINE
        if is_over(running.run):
            patience.complain(what, "the app has ended the run itself: delete its wandb.finish()")
        elif patience.ask(what, functools.partial(end, running), _left_s(until_s), is_local=not is_online) and is_online:
            add_job_facts(_fact(running, sent=True), config)

    def at_the_end(self, config: DictConfig) -> None:
        """Ends the runs of jobs that could not do it: of those that were killed, and of those that `sys.exit` ended here."""
        patience = patience_of(config, TRACKER, log)
        for running in wandb_running.left_by(run_so_far(config).run_id):
            is_local = running.place.mode not in wandb_library.ONLINE
            patience.ask(
                "the end of a job", functools.partial(running.run.finish, exit_code=1), self.timeout_s, is_local=is_local
            )
        run = run_at_its_end(config, without=() if self.log_config else CONFIGS)
        left = [job for job in run.jobs if _is_unsent(job)]
        if not left or patience.gave_up:
            return
        wandb_library.load()
        wanted = self._wanted(patience)

        def send() -> None:
            chosen = self._chosen()
            wandb_library.reach(chosen.address, self.timeout_s)

            def send_one(job: JobRecord) -> Outcome:
                return send_job(place_of(run, job.job_num, wanted, chosen, self.timeout_s), run, job, wanted)

            for problem in send_each("W&B", left, send_one).failed.values():
                raise problem

        patience.ask("the end of the run", send, self.timeout_s)

    def _wanted(self, patience: Patience) -> Wanted:
        tags = list(map(patience.hide, self.tags))
        return Wanted(self.project, self.entity, self.group, self.job_type, tags, self.log_config)


def _left_s(until_s: float) -> float:
    return max(until_s - time.monotonic(), _LEAST_S)


def _fact(running: Running, *, sent: bool) -> dict[str, Any]:
    place = running.place
    fact = {"run_id": place.run_id, "project": place.project, "entity": running.run.entity or None, "mode": place.mode}
    return {TRACKER.name: {**fact, "url": _url(running), "sent": sent}}


def _url(running: Running) -> str | None:
    """Its page; W&B warns if a run that is kept offline is asked."""
    url = running.run.url if running.place.mode in wandb_library.ONLINE else None
    return without_credentials(url) if url else None


def _is_unsent(job: JobRecord) -> bool:
    """Whether a job is over whose run in W&B was begun there, and not finished."""
    fact = job.facts.get(TRACKER.name)
    if job.status == "RUNNING" or type(fact) is not dict:
        return False
    return fact.get("mode") in wandb_library.ONLINE and not fact.get("sent")
