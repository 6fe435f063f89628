"""What a tracker is sent of a run and of its jobs: made of their records, while they run and afterwards alike."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from hydra_callback_kit.journal.format import Status
from hydra_callback_kit.journal.metric_points import Point, points_of
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.journal.values import as_json, as_text, is_number
from hydra_callback_kit.views.flat import flat_return_value

MAX_NAME: Final = 120
"""Characters of a name that people read in a list."""


_LAST_STEP: Final = 2**63 - 1


class Payload(NamedTuple):
    """What there is to send.

    Attributes:
        name: for people to read in a list.
        overrides: by the keys that were given, typed; secrets redacted.
        config: the app's config, resolved and redacted, nested as it is; None where it is not on record.
        tags: where it comes from, by name: `run_id`, `sweep_dir`, `job_num`, `attempt` of a job that was started
            again, `output_dir`, `overrides`, `launcher`, `launcher_id`, `host`, `commit`, `command`; what is not known is
            not there.
        metrics: the numbers that it returned, by dotted names; then the last ones that it reported under other names.
        reported: the names of those that it reported while it ran: `journal.metric_points` has their course.
        returned: the names of those that it returned.
        status: as on record; `INTERRUPTED` is what was killed, `RUNNING` may go on.
        error: why it failed, in a line; None if it did not.
        started_at: UTC, ISO 8601; None if the start was not recorded.
        ended_at: UTC, ISO 8601; None without an end.
    """

    name: str
    overrides: dict[str, Any]
    config: dict[str, Any] | None
    tags: dict[str, str]
    metrics: dict[str, float]
    status: Status
    error: str | None = None
    started_at: str | None = None
    ended_at: str | None = None
    reported: frozenset[str] = frozenset()
    returned: tuple[str, ...] = ()

    def params(self) -> dict[str, Any]:
        """The overrides and the config, flat: mappings by dotted keys, lists whole.

        Where both have a key, the config's value counts. What the config has not, such as the choice of a group, stands
        under the key of its override.
        """
        return {**self.overrides, **dict(_flat("", self.config or {}))}


def payload_of_job(run: RunRecord, job: JobRecord) -> Payload:
    """What is sent of a job.

    Args:
        run: the run as far as it is known: its identity, and the facts `launcher` and `git`.
        job: the job, with its config in the fact `config` if that is to be sent.
    """
    config, returned = job.facts.get("config"), _returned(job)
    overrides = " ".join(job.task_overrides)
    name = job.job_name or "job"
    is_of_a_sweep = run.mode == "MULTIRUN"
    return Payload(
        name=shortened(" ".join(filter(None, (str(job.job_num) if is_of_a_sweep else name, overrides))), MAX_NAME),
        overrides=job.overrides,
        config=config if type(config) is dict else None,
        tags=_known(
            {
                **_origin(run),
                "job_num": job.job_num,
                "attempt": job.attempts if job.attempts > 1 else None,
                "job_name": job.job_name,
                "overrides": overrides,
                "output_dir": job.output_dir,
                "launcher_id": job.job_id,
                "host": job.host,
            }
        ),
        metrics={**{name: metric.last for name, metric in job.metrics.items()}, **returned},
        reported=frozenset(job.metrics),
        returned=tuple(returned),
        status=job.status,
        error=job.error and job.error.headline,
        started_at=job.started_at,
        ended_at=job.ended_at,
    )


def payload_of_sweep(run: RunRecord) -> Payload:
    """What is sent of a sweep itself, the parent or the group of its jobs' runs."""
    name = as_text(run.facts.get("job_name") or "sweep")
    command = run.facts.get("command")
    return Payload(
        name=shortened(f"{name} {run.run_id}", MAX_NAME),
        overrides={},
        config=None,
        tags=_known({**_origin(run), "command": " ".join(map(as_text, command)) if type(command) is list else None}),
        metrics={},
        status=run.status,
        started_at=run.started_at,
        ended_at=run.ended_at,
    )


def points_to_send(run: RunRecord, job: JobRecord) -> Iterator[Point]:
    """What a job has reported of its metrics, in the order in which it did.

    Args:
        run: the job's run. A journal may be anybody's, and name any directory: only what lies below the run's own is read.
        job: the job.
    """
    directory = job.output_dir
    is_below = directory is not None and directory.resolve().is_relative_to(run.root.resolve())
    return points_of(job) if is_below else iter(())


def whole_step(step: float) -> int:
    """A step as the trackers have it that know whole numbers of 64 bits alone: the nearest one.

    Args:
        step: the step as it was reported, which may be negative.
    """
    return max(-_LAST_STEP - 1, min(round(step), _LAST_STEP))


def shortened(text: str, limit: int) -> str:
    """A text of at most so many characters; one that was cut says so, and how long it was.

    Args:
        text: any text.
        limit: what the tracker takes, in characters.
    """
    if len(text) <= limit:
        return text
    says = f" [cut, {len(text)} characters]"
    return text[: limit - len(says)] + says


def text_of(value: Any) -> str:
    """A value of a config as a text, as MLflow's own `log_params` makes it of a number, a word, `True` or `None`."""
    return str(value) if value is None or isinstance(value, (str, bool, int, float)) else json.dumps(as_json(value))


def _returned(job: JobRecord) -> dict[str, float]:
    """The numbers that a job has returned."""
    prefix = "return_value." if isinstance(job.return_value, dict) else ""
    flat = {} if job.return_value is None else flat_return_value(job.return_value)
    return {column.removeprefix(prefix): value for column, value in flat.items() if is_number(value)}


def _origin(run: RunRecord) -> dict[str, Any]:
    git = run.facts.get("git")
    return {
        "run_id": run.run_id,
        "sweep_dir": run.root if run.mode == "MULTIRUN" else None,
        "launcher": run.facts.get("launcher") if run.mode == "MULTIRUN" else None,
        "commit": git.get("commit") if type(git) is dict else None,
    }


def _known(tags: Mapping[str, Any]) -> dict[str, str]:
    return {name: as_text(str(tag)) for name, tag in tags.items() if tag is not None and tag != ""}


def _flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if type(value) is dict and (value or not name):
        for key, item in value.items():
            yield from _flat(f"{name}.{key}" if name else key, item)
    else:
        yield name, value
