"""`notification_callback`: tells people on their phones what has become of a run."""

import importlib.util
import os
import subprocess
from collections.abc import Sequence
from typing import Any, Final

from hydra.core.utils import JobReturn
from hydra.types import TaskFunction
from omegaconf import DictConfig, OmegaConf

from hydra_callback_kit.configs.callback_urls import (
    hide_urls,
    hide_urls_in_saved_config,
    hide_urls_in_saved_sweep,
    hide_urls_of_run,
)
from hydra_callback_kit.configs.identity import identify_run, job_name
from hydra_callback_kit.configs.known_secrets import redaction_of
from hydra_callback_kit.hooks.parameters import NotInstalledError, ParameterError, one_of
from hydra_callback_kit.hooks.recording import RecordingCallback
from hydra_callback_kit.hooks.tracker_parameters import seconds
from hydra_callback_kit.journal.errors import error_of
from hydra_callback_kit.journal.process import this_process
from hydra_callback_kit.journal.safe_log import SafeLogger
from hydra_callback_kit.journal.writer import utc_now
from hydra_callback_kit.trackers import apprise_library
from hydra_callback_kit.trackers.errand import Errand
from hydra_callback_kit.trackers.notifier_process import NotifierProcess
from hydra_callback_kit.views.message_template import FIELDS, names_in

log = SafeLogger("hydra_callback_kit.notification_callback")

EVENTS: Final = ("end", "failure", "first_failure", "abort")
"""Of what people can be told."""


class NotificationCallback(RecordingCallback):
    """Tells people by Slack, mail, Telegram and a hundred other ways when a run or sweep has ended, and when jobs fail.

    A message says what a person wants on the phone: the app, how it ended, how many jobs completed and failed, the best
    result, the first error, how long it took, where. It is sent by a small process of its own, which follows the journal
    beside the run: jobs never wait for it, and it is still there when the run is killed. The run waits for the last message
    as it ends, no longer than `timeout_s`. What cannot be sent is said in the log, once, and the exit code stays.

    The urls are those of Apprise (https://appriseit.com). They are secrets as a whole, and stand in no log, no error and no
    record. Ranks other than 0, a job that `rerun` starts by itself, and a run that is refused before its first job send
    nothing.

    Needs the extra `notify`: `pip install 'hydra-callback-kit[notify]'`.

    Args:
        urls: where messages go: `slack://...`, `mailto://...`, one, several apart by spaces, or a list; best from the
            environment, `${oc.env:NOTIFY_URL}`. What is null or blank is left out.
        events: of what people are told. `end`: the run or sweep has ended, however. `failure`: jobs of a sweep have failed
            or were killed; what comes within `min_interval_s` is said in the next message. `first_failure`: the first of
            them. `abort`: as `end`, but only where it was stopped: by Ctrl-C, a signal, a time limit or a callback, or where
            a job was killed, or the run's process. The end is one message, whatever of these it is; and another one where
            jobs or ranks on this machine go on without the run's process, and come to another end than was told.
        template: the text of a message in place of our own, with names in braces: `'{app} {status}: {counts}'`. There are
            `app`, `what` (`run` or `sweep`), `event`, `status`, `counts`, `best`, `duration`, `host`, `directory`, `error`
            (the first), `failed` (the jobs that failed since the last message) and `reason` (why it was stopped).
        min_interval_s: seconds from one message to the next; that of the end does not wait.
        timeout_s: how long a message may take, and the run waits for the last one, in seconds. Who does not take a message
            is not asked again before the end.

    Raises:
        NotInstalledError: if Apprise is not installed.
        ParameterError: if a url is none, Apprise knows no such service, `events` or `template` names something else, or a
            time is not more than 0.

    Files:
        `.callbacks/*.jsonl` in the run's output directory or in the sweep directory: the journal (JSON lines).

    Example:
        ```yaml
        defaults:
          - callbacks: [notification_callback]
          - _self_

        hydra:
          callbacks:
            notification_callback:
              urls: ["${oc.env:NOTIFY_URL,null}"]
              events: [end, first_failure]
        ```
    """

    hides_what_is_given = True

    def __init__(
        self,
        urls: Any = (),
        events: Sequence[str] = EVENTS,
        template: str | None = None,
        min_interval_s: float = 60.0,
        timeout_s: float = 10.0,
    ) -> None:
        if importlib.util.find_spec("apprise") is None:
            raise NotInstalledError(["apprise"], "notify")
        given = OmegaConf.to_container(urls) if OmegaConf.is_config(urls) else urls
        self.is_given_none = isinstance(given, list | tuple) and not given
        self.urls = _checked_urls(given)
        self.events = [one_of("events", event, EVENTS, form="[{}]") for event in events]
        self.template = None if template is None else _checked_template(template)
        self.min_interval_s = seconds("min_interval_s", min_interval_s, 60)
        self.timeout_s = seconds("timeout_s", timeout_s, 10)

    def __getstate__(self) -> dict[str, Any]:
        """What workers get, and what launchers keep on disk for them: no urls, which the run's own process alone needs."""
        return {**self.__dict__, "urls": []}

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Starts to follow the run."""
        self._start(config)

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Starts to follow the sweep."""
        self._start(config)

    def on_job_start(self, config: DictConfig, *, task_function: TaskFunction, **kwargs: Any) -> None:
        """Takes urls out of the config that Hydra has saved with the job."""
        hide_urls_in_saved_config(config, redaction_of(config).of_text)

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:
        """Takes them out of the config that goes home with what the job returned, and that launchers keep on disk."""
        if isinstance(job_return.hydra_cfg, DictConfig):
            hide_urls(job_return.hydra_cfg, redaction_of(config).of_text)

    def at_the_end(self, config: DictConfig) -> None:
        """Waits for the last message, and takes urls out of the config that Hydra has saved with the sweep."""
        run = identify_run(config)
        if run.mode == "MULTIRUN":
            hide_urls_in_saved_sweep(config, run.root, redaction_of(config).of_text)
        key = os.getpid(), run.run_id
        if key in _processes:
            process, complaints = _processes[key]
            if not process.ends(self.timeout_s):
                complaints.say("The end", f"that took more than {self.timeout_s:g} s")
            _processes.pop(key, None)

    def _start(self, config: DictConfig) -> None:
        run = identify_run(config)
        hide_urls_of_run(config, redaction_of(config).of_text)
        if self.is_given_none:
            log.caution(
                "notification_callback tells nobody: it has no urls. Set hydra.callbacks.notification_callback.urls."
            )
        if not self.urls or not self.events or run.rerun:
            return
        retries, retried = _retries(config)
        errand = Errand(
            root=str(run.root),
            run_id=run.run_id,
            app=job_name(config),
            is_sweep=run.mode == "MULTIRUN",
            process=this_process(),
            urls=self.urls,
            events=self.events,
            template=self.template,
            min_interval_s=self.min_interval_s,
            timeout_s=self.timeout_s,
            since=utc_now() if run.goes_on else "",
            retries=retries,
            retried=retried,
        )
        complaints = _Complaints()
        try:
            _processes[os.getpid(), run.run_id] = NotifierProcess(errand, complaints.say), complaints
        except (OSError, subprocess.SubprocessError) as error:
            complaints.say("The end", error_of(error).headline)


class _Complaints:
    """Says what could not be sent: the first time so that people see it."""

    def __init__(self) -> None:
        self._are_known = False

    def say(self, where: str, why_not: str) -> None:
        if self._are_known:
            log.debug("%s: %s", where, why_not)
        else:
            self._are_known = True
            log.caution(
                "%s could not be told: %s. The run is not affected. To try it, type: %s", where, why_not.rstrip("."), _TEST
            )


_TEST: Final = "hydra-callback-kit notify-test"

_processes: Final[dict[tuple[int, str], tuple[NotifierProcess, _Complaints]]] = {}
"""By process and run."""


def _checked_urls(given: Any) -> list[str]:
    some = [given] if isinstance(given, str) or given is None else given
    if not isinstance(some, list | tuple) or not all(each is None or isinstance(each, str) for each in some):
        raise ParameterError("urls", "…", "a url or a list of them", "Write urls='${oc.env:NOTIFY_URL}'.")
    urls = [url for each in some if each is not None for url in apprise_library.urls_in(each)]
    for place, url in enumerate(urls):
        scheme = apprise_library.scheme_of(url)
        if scheme is None:
            advice = "Write it in quotes on the command line: see the page of notification_callback."
            raise ParameterError(f"urls[{place}]", "…", "a url of Apprise's such as slack://… or mailto://…", advice)
        if not apprise_library.may_be_known(scheme) and apprise_library.refused(url) is not None:
            nearest = apprise_library.nearest_scheme(scheme)
            advice = f"Write {nearest}://…" if nearest else "All services stand at https://appriseit.com."
            raise ParameterError(f"urls[{place}]", f"{scheme}://…", "a url of a service that Apprise knows", advice)
    return urls


def _checked_template(given: Any) -> str:
    advice = "Write for example template='{app} {status}: {counts}', and two braces for one."
    try:
        names = names_in(given)
    except (TypeError, ValueError) as error:
        raise ParameterError("template", given, f"a text with names in braces ({error})", advice) from error
    for name in names:
        one_of("template", name, FIELDS, form="'{{{}}}'")
    return str(given)


def _retries(config: DictConfig) -> tuple[int, tuple[str, ...]]:
    """How often `retry_callback` starts a job again, and what for: until then a failure is not the last word."""
    for node in config.hydra.callbacks.values():
        if isinstance(node, DictConfig) and str(node.get("_target_")).endswith(".RetryCallback"):
            return node.get("retries", 2), tuple(node.get("errors") or ())
    return 0, ()
