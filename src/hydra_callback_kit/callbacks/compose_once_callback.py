"""`compose_once_callback`: the configs of a sweep's jobs are composed when the sweep starts."""

from typing import Any

from omegaconf import DictConfig

from hydra_callback_kit.hooks.recording import RecordingCallback


class ComposeOnceCallback(RecordingCallback):
    """Composes the configs of a sweep's jobs when the sweep starts, so that the sweep is faster and no edit reaches a job.

    Hydra composes each job's config twice: once to see whether it can be composed, and again as the job starts, from the
    files as they are then. With this callback Hydra composes once for each combination of config groups that the jobs
    choose, and their values are set in copies of that. Each job gets the config that Hydra would have given it when the
    sweep started: the same keys, values, types and flags, the same `hydra` node and files in `.hydra`. Where it is not
    certain that this comes to the same, as when a value is set through an interpolation, Hydra itself composes the job's
    whole config, still when the sweep starts; the log says for how many jobs, and why.

    What Hydra reads anew in each job is read anew: `hydra.runtime.cwd` and the variables that `hydra.job.env_copy` names.
    A sweeper that chooses its jobs as it goes (Optuna) gets each combination composed at first need. A single run is
    composed by Hydra.

    Args:
        check: whether Hydra composes each job's config as well, and the two are compared, which takes Hydra's time. A
            difference is logged as an error that names the key, and the job gets Hydra's.

    Files:
        None but the journal: `.callbacks/*.jsonl` in the sweep directory (JSON lines).

    Example:
        ```yaml
        defaults:
          - callbacks: [compose_once_callback]
          - _self_
        ```
    """

    def __init__(self, check: bool = False) -> None:
        self.check = check

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Lets the sweep's jobs have configs that are composed before any of them starts."""
        from hydra_callback_kit.launching.composes_once import ComposesOnce  # noqa: PLC0415  a single run has no use for it
        from hydra_callback_kit.launching.in_place import put_in_place  # noqa: PLC0415  the same

        put_in_place(config, ComposesOnce(config, self.check))
