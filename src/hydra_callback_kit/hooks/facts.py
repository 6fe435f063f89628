"""Facts that a callback, or the task function itself, adds to the record."""

from collections.abc import Container, Mapping
from typing import TYPE_CHECKING, Any, Final

from hydra_callback_kit.hooks.running_jobs import running_job

if TYPE_CHECKING:
    from omegaconf import DictConfig

_OF_A_JOB: Final = frozenset(
    (
        *("status", "error", "duration_s", "return_value", "overrides", "output_dir", "job_id", "job_name", "rerun"),
        *("config", "config_as_written", "hydra_config", "files", "attempt_number", "batch", "world_size"),
        *("metrics", "metrics_file", "captured_output"),
    )
)
"""What the record says of a job itself, under these names."""
_OF_A_RUN: Final = frozenset(
    (
        *("mode", "root", "cwd", "program", "command", "other_arguments", "job_name", "config_name", "overrides"),
        *(
            "hydra_overrides",
            "launcher",
            "sweeper",
            "directions",
            "planned_jobs",
            "expected_jobs",
            "planned_overrides",
            "hydra_version",
        ),
        *("start", "rank_launcher", "python_version", "from_python", "duration_s", "aborted", "files"),
        *("launcher_class", "summaries", "summed_up", "ranking", "config"),
    )
)
"""What the record says of a run itself."""


class FactError(ValueError):
    """What was given cannot be a fact.

    Attributes:
        given: what was given.
    """

    def __init__(self, given: object, message: str) -> None:
        super().__init__(message)
        self.given = given

    def __reduce__(self) -> tuple[type[ValueError], tuple[str]]:
        """Workers send the message home."""
        return ValueError, (str(self),)


def add_job_facts(facts: Mapping[str, Any], config: "DictConfig | None" = None) -> None:
    """Adds facts to the record of a job, at once: they stay where the job then fails or is killed.

    They are columns of the results table and of `hydra-callback-kit show`, and `facts` in `load_run`. Of facts with the same
    name the last one counts. The task function may call it without a config, any number of times, from any thread. Where no
    callback of this package is on, or no job runs (in a test of the task function, say), it does nothing.

    Args:
        facts: any values by name. A mapping has a column for each of its items, named `<name>.<key>`. Values are kept as
            return values are: numbers, texts and what NumPy, torch and dataclasses hold by content, the rest as `repr`.
        config: the config that Hydra handed to a hook of the job; None for the job that runs in this thread, or, called from
            a thread that the job has started, in this process.

    Raises:
        FactError: if `facts` is no mapping from names to values, or a name is one of the record's own; if `config` is not
            that of a job's hook. It is a `ValueError`.

    Example:
        ```python
        @hydra.main(config_path="conf", config_name="config")
        def train(cfg):
            model = build(cfg.model)
            add_job_facts({"params": sum(p.numel() for p in model.parameters())})
        ```
    """
    _check(facts, _OF_A_JOB)
    if config is None:
        config = running_job()
    elif not _is_a_jobs(config):
        raise FactError(
            config,
            "add_job_facts(facts, config) takes the config that Hydra hands to on_job_start or on_job_end. "
            "In the task function leave it out: add_job_facts(facts).",
        )
    if config is not None:
        from hydra_callback_kit.hooks.job_recorder import record_job_facts  # noqa: PLC0415  a test of the task needs no Hydra

        record_job_facts(config, facts)


def add_run_facts(facts: Mapping[str, Any], config: "DictConfig | None" = None) -> None:
    """Adds facts to the record of a run or sweep: they are in `load_run(...).facts` and in `hydra-callback-kit show --json`.

    Args:
        facts: as for `add_job_facts`.
        config: the config that Hydra handed to any hook; None for the run of the job that runs in this process.

    Raises:
        FactError: as from `add_job_facts`.
    """
    _check(facts, _OF_A_RUN)
    if config is None:
        config = running_job()
    elif not _has_hydras_node(config):
        raise FactError(
            config,
            "add_run_facts(facts, config) takes the config that Hydra hands to a hook. "
            "In the task function leave it out: add_run_facts(facts).",
        )
    if config is not None:
        from hydra_callback_kit.hooks.run_recorder import record_run_facts  # noqa: PLC0415  as above

        record_run_facts(config, facts)


def _check(facts: Any, taken: Container[str]) -> None:
    if not isinstance(facts, Mapping):
        raise FactError(facts, f"Facts are a mapping such as {{'params': 12}}, not of type {type(facts).__name__}.")
    for name in facts:
        if not isinstance(name, str) or not name.strip():
            raise FactError(name, f"A fact needs a name that is a text, not {name!r}. Write for example {{'params': 12}}.")
        if name in taken:
            raise FactError(
                name,
                f"{name!r} is what the record itself says, under that name. Choose another name, for example 'my_{name}'.",
            )


def _has_hydras_node(config: Any) -> bool:
    return isinstance(config, Mapping) and "hydra" in config


def _is_a_jobs(config: Any) -> bool:
    return _has_hydras_node(config) and "output_dir" in config["hydra"]["runtime"]  # `???` is not in it
