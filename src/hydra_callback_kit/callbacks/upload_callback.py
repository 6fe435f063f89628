"""`upload_callback`: the files of a run are sent to a bucket or a network folder, each job's as it ends."""

import os
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, TypeVar

from omegaconf import DictConfig

from hydra_callback_kit.configs.callback_nodes import callback_nodes
from hydra_callback_kit.configs.directories import absolute_directory, is_shared
from hydra_callback_kit.configs.identity import identify_job, identify_run
from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.hooks.deleting_sent import delete_of_all, delete_of_job
from hydra_callback_kit.hooks.end_of_run import run_at_its_end
from hydra_callback_kit.hooks.facts import add_job_facts, add_run_facts
from hydra_callback_kit.hooks.job_recorder import JobEnd
from hydra_callback_kit.hooks.recording import RecordingCallback
from hydra_callback_kit.hooks.tracker_parameters import globs, seconds
from hydra_callback_kit.hooks.upload_parameters import destination, options
from hydra_callback_kit.journal.format import CONFIGS
from hydra_callback_kit.journal.identity import RunIdentity
from hydra_callback_kit.journal.rank import rank_of_this_process
from hydra_callback_kit.journal.reader import read_run
from hydra_callback_kit.journal.safe_log import SafeLogger
from hydra_callback_kit.journal.writer import utc_now
from hydra_callback_kit.remote.sending import Sent
from hydra_callback_kit.remote.store import Store, is_url, lies_in, load
from hydra_callback_kit.trackers import upload, upload_record
from hydra_callback_kit.trackers.credentials import without_credentials
from hydra_callback_kit.trackers.patience import Patience, patience_of
from hydra_callback_kit.trackers.stopped import FOR_GOOD, begin_again, lose, lost_s
from hydra_callback_kit.trackers.upload import TRACKER, Course, RunSent
from hydra_callback_kit.trackers.upload_wanted import Wanted, is_of_the_last_attempt
from hydra_callback_kit.views import wording
from hydra_callback_kit.views.whereabouts import DELETED_HERE

log = SafeLogger("hydra_callback_kit.upload_callback")

Answer = TypeVar("Answer")

_MAX_FIRST_S: Final = 30.0
"""Seconds within which a store answers that is there: a run that starts is not kept waiting longer."""


class UploadCallback(RecordingCallback):
    """Sends the files of a run or sweep to a bucket or a folder: each job's as it ends, the rest when all has ended.

    Each run has a directory of its own below `to`, named by its id (`20250301T140509123456-1a2b3c4d`), with the files as
    they lie here. Its journal comes last: `load_run("s3://...")` and `hydra-callback-kit show s3://...` see a whole run or
    none.

    A file counts as sent when size and checksum of the copy are right. What is there already with both is not sent again. A
    run that goes on (`resume_callback`, `rerun`) goes on in the same directory. What was not sent, because the store could
    not be reached or the time was up, is sent at the end of the sweep, or by `hydra-callback-kit sync PATH --to URL`.

    No job fails because of the store, and the run waits for one that does not answer only once. Of a distributed job rank 0
    sends, and what other ranks have written since goes with the end of the run. Links are not followed. Files are sent as
    they are: use `redaction_callback` for secrets in `.hydra`.

    Args:
        to: where to: a URL that fsspec knows (`s3://bucket/${hydra.job.name}`, `gs://...`), or a folder.
        what: which files are sent, as globs in the job's directory, or the sweep's. Without a slash one holds at any depth;
            that of a directory stands for all that is in it.
        exclude: which of these are not.
        delete_local: whether a completed job's files that were sent and verified are deleted here. `.hydra`, log files,
            `metrics.jsonl` and what else this package has written stay, and so does all of the sweep's own.
        timeout_s: how long a job's end, and the run's, wait for what is sent then, in seconds.
        storage_options: what fsspec's file system is made with, such as `endpoint_url`. Credentials do not belong here: the
            libraries find them where they always do.

    Raises:
        NotInstalledError: if fsspec, or the library for that URL, is not installed.
        ParameterError: if `to` is missing or no such URL, `what` or `exclude` is no list of globs or leads out of the
            directory, `storage_options` is no mapping, or `timeout_s` is not more than 0.

    Files:
        `.callbacks/*.jsonl` in the run's output directory or in the sweep directory: the journal (JSON lines), where run and
        jobs have the fact `uploaded`: `to` (without credentials), `files`, `bytes`, `seconds`, and `complete`.
        `.callbacks/upload-failed.<run>`, where the store could not be reached: the seconds that were lost with it.

    Example:
        ```yaml
        defaults:
          - callbacks: [upload_callback]
          - _self_

        hydra:
          callbacks:
            upload_callback:
              to: ../copies/${hydra.job.name}
        ```
    """

    writes_summaries = True
    comes_last = True

    def __init__(
        self,
        to: str | None = None,
        what: Sequence[str] = ("**",),
        exclude: Sequence[str] = ("*.ckpt",),
        delete_local: bool = False,
        timeout_s: float = 600.0,
        storage_options: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self.to = destination(to, without_credentials(str(to)))
        self.what = globs("what", what)
        self.exclude = globs("exclude", exclude)
        self.delete_local = delete_local
        self.timeout_s = seconds("timeout_s", timeout_s, 600)
        self.storage_options = options(storage_options)

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Looks whether the store can be written to."""
        self._begin(config)

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Looks whether the store can be written to."""
        self._begin(config)

    def _begin(self, config: DictConfig) -> None:
        run, written = identify_run(config), _as_written(config)
        to = self.to if is_url(self.to) else str(absolute_directory(config, self.to))
        to = upload_record.same_as_before(run, to, written) or to
        if lies_in(to, run.root):
            log.caution("to=%s lies in the run's own directory, and nothing is sent. Write another directory.", self.to)
            return
        begin_again(run)
        notes_of(config)[TRACKER.name] = to
        shown = without_credentials(upload.address_of(to, run.run_id))
        said = {"to": shown, "as_written": without_credentials(written), **self._said(), "complete": False}
        add_run_facts({TRACKER.name: said}, config)
        self._try(config, f"the start of the {_word(run)}", upload.begin, min(self.timeout_s, _MAX_FIRST_S))

    def after_the_job(self, config: DictConfig) -> None:
        """Sends the job's files."""
        job = identify_job(config)
        if TRACKER.name not in notes_of(config) or lost_s(job.run) or is_shared(config, ""):
            return  # the run's end tries it once more
        directory = upload.place_of(job.run.root, job.output_dir)
        if directory is None:
            log.debug("%s does not lie in the run's directory: it is not sent", job.output_dir)
            return
        began_s, at, what = time.monotonic(), utc_now(), f"the end of job {job.job_num}"

        def may_be_stale() -> bool:
            run = read_run(job.run.root, job.run.run_id, without=CONFIGS)
            return any(is_of_the_last_attempt(each) for each in run.jobs if each.job_num == job.job_num)

        def send(store: Store, course: Course) -> Sent:
            return upload.send_job(store, job.run.root, directory, self._wanted(), course, may_be_stale)

        sent = self._try(config, what, send, self.timeout_s)
        if sent is None:
            return
        self._say(config, what, sent)
        address, took_s = f"{self._address(config)}/{directory}", time.monotonic() - began_s
        files = sent.sent + sent.there
        fact = upload_record.fact_of(address, files, sent.bytes, took_s, complete=sent.complete, at=at)
        add_job_facts(fact, config)
        end: JobEnd | None = notes_of(config).get("job_ended")
        completed = end is not None and end.status == "COMPLETED"
        if self.delete_local and completed and rank_of_this_process() is None:
            count = delete_of_job(config, job.run.root, directory, sent.verified)
            if count:
                add_job_facts({TRACKER.name: {**fact[TRACKER.name], DELETED_HERE: count}}, config)

    def at_the_end(self, config: DictConfig) -> None:
        """Sends what is not there yet, and then the journal."""
        identity, began_s = identify_run(config), time.monotonic()
        timeout_s = self.timeout_s - lost_s(identity)
        if TRACKER.name not in notes_of(config):
            return
        run, address = run_at_its_end(config, without=CONFIGS), self._address(config)
        what, shown = f"the end of the {_word(identity)}", without_credentials(address)
        if not run.jobs and "aborted" in run.facts:
            self.when_refused(config)
            return

        def record(files: int, size: int, complete: bool) -> None:
            took_s = time.monotonic() - began_s
            written = {"as_written": without_credentials(_as_written(config)), **self._said()}
            add_run_facts(upload_record.fact_of(address, files, size, took_s, **written, complete=complete), config)

        def send(store: Store, course: Course) -> RunSent:
            again = upload.distributed_places(run) if self.delete_local else ()
            return upload.send_run(store, shown, run, self._wanted(), course, record, careful=again)

        sent = self._try(config, what, send, timeout_s) if timeout_s > 0 else None
        if sent is None:
            self._say_what_is_missing(config, upload.count_not_sent(run, shown, self._wanted()))
            return
        self._say(config, what, sent.now)
        self._say_what_is_missing(config, sent.missing)
        if self.delete_local:
            delete_of_all(config, run, self._wanted(), sent.now.verified, log)
        if sent.is_whole:
            left_out = f"; {sent.left_out} left out" if sent.left_out else ""
            size, to = wording.size(sent.bytes), self._patience(config).hide(address)
            log.info("Uploaded %s (%s) to %s%s", wording.count_of_files(sent.files), size, to, left_out)

    def when_refused(self, config: DictConfig) -> None:
        """Leaves nothing there."""
        if TRACKER.name in notes_of(config):
            what = f"the end of the {_word(identify_run(config))}"
            self._try(config, what, lambda store, _: upload.take_back(store), min(self.timeout_s, _MAX_FIRST_S))

    def _try(
        self, config: DictConfig, what: str, request: Callable[[Store, Course], Answer], timeout_s: float
    ) -> Answer | None:
        """Has something sent. After it has failed no job of the run tries it again; its end does, if time is left.

        It stops by itself a little before nobody waits for it any longer.
        """
        run, patience, began_s = identify_run(config), self._patience(config), time.monotonic()
        load(self.to)
        heard: list[float] = []

        def answered() -> None:
            heard.append(time.monotonic())
            patience.was_answered()

        course = Course(time.monotonic() + timeout_s - min(1.0, timeout_s / 10), answered)
        try:
            answer = patience.ask(what, lambda: request(self._store(config), course), timeout_s)
        except KeyboardInterrupt:
            patience.complain(what, "it was interrupted")
            lose(run, FOR_GOOD)
            raise
        if answer is None and not heard:
            lose(run, FOR_GOOD if patience.gave_up else time.monotonic() - began_s)
        return answer

    def _say(self, config: DictConfig, what: str, sent: Sent) -> None:
        """Says what is not there."""
        patience = self._patience(config)
        if sent.failed:
            name, error = next(iter(sent.failed.items()))
            patience.complain(f"{what}, for {wording.count_of_files(len(sent.failed))} such as {name}", error)
        elif not sent.has_all:
            patience.complain(what, f"not all was sent within {self.timeout_s:g} s")

    def _say_what_is_missing(self, config: DictConfig, count: int) -> None:
        """Says it as the last word: what went wrong was said when it did, a long log above."""
        if count:
            patience, root = self._patience(config), identify_run(config).root
            to = patience.hide(notes_of(config)[TRACKER.name])
            command = shlex.join(["hydra-callback-kit", "sync", str(root), "--to", to])
            log.info("Not uploaded: %s. They are here. To send them, type: %s", wording.count_of_files(count), command)

    def _wanted(self) -> Wanted:
        return Wanted(self.what, self.exclude)

    def _said(self) -> dict[str, Any]:
        """What `sync` goes by."""
        return {"what": self.what, "exclude": self.exclude}

    def _address(self, config: DictConfig) -> str:
        return upload.address_of(notes_of(config)[TRACKER.name], identify_run(config).run_id)

    def _store(self, config: DictConfig) -> Store:
        """The store, opened once in a process for a run: to find the credentials takes a while."""
        key = os.getpid(), self._address(config)
        if key not in _stores:
            _stores[key] = Store(self._address(config), self.storage_options)
        return _stores[key]

    def _patience(self, config: DictConfig) -> Patience:
        patience = patience_of(config, TRACKER, log, notes_of(config)[TRACKER.name])
        patience.redaction.learn(upload_record.secrets_in(self.storage_options))
        return patience


_stores: Final[dict[tuple[int, str], Store]] = {}
"""By process and address."""


def _as_written(config: DictConfig) -> str:
    """What the config says of `to`, in which nothing is resolved."""
    ours = (node for node in callback_nodes(config).values() if isinstance(node, dict))
    return next((str(node.get("to")) for node in ours if str(node.get("_target_")).endswith(".UploadCallback")), "")


def _word(run: RunIdentity) -> str:
    return "sweep" if run.mode == "MULTIRUN" else "run"
