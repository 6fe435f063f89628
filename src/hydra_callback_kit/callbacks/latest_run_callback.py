"""`latest_run_callback`: one path that always leads to the latest run."""

from typing import Any

from omegaconf import DictConfig

from hydra_callback_kit.configs.identity import identify_run
from hydra_callback_kit.hooks.recording import RecordingCallback
from hydra_callback_kit.hooks.run_links import link_name, point_to, remove_if_broken
from hydra_callback_kit.journal.safe_log import SafeLogger

log = SafeLogger("hydra_callback_kit.latest_run_callback")


class LatestRunCallback(RecordingCallback):
    """Keeps a link to the directory of the run or sweep that was started last, from its start on.

    The link lies in the deepest directory of the path that is the same for every run: above the first part of
    `hydra.run.dir` or `hydra.sweep.dir` that comes from `${now:...}`, also through other interpolations. With Hydra's own
    `outputs/${now:%Y-%m-%d}/${now:%H-%M-%S}` it is `outputs/latest`, and `multirun/latest` for sweeps; with
    `${paths.logs}/${name}/runs/${now:...}` it is `runs/latest` there. A path without `${now:...}` has it beside the run's
    directory: `hydra.run.dir=out/a` makes `out/latest`. There is none for a run in the directory that the app was started
    in, or above.

    The link is relative, so that the whole folder can be moved, and takes an earlier link's place in one step: it is never
    missing or broken in between, and of runs that start at once it is one's. A link that leads neither to a run of this
    package's nor to a directory below that is gone is kept as `<name>.bak`, with a warning. A file or directory of that name
    is left as it is, with a warning. A job that is run again (`hydra-callback-kit rerun`) does not move the link.

    Args:
        name: the link's name, without a path.

    Raises:
        ParameterError: if `name` is empty, `.`, `..`, or has a `/` in it.

    Files:
        `latest`: a symbolic link; where such links cannot be made (Windows without the right to, some network drives)
        instead `latest.txt`, one line with the relative path. What lies
        there and does not lead to a run is kept as `latest.txt.bak`.
        `.callbacks/*.jsonl` in the run's output directory or in the sweep directory: the journal (JSON lines).

    Example:
        ```yaml
        defaults:
          - callbacks: [latest_run_callback]
          - _self_

        hydra:
          callbacks:
            latest_run_callback:
              name: newest
        ```
    """

    def __init__(self, name: str = "latest") -> None:
        self.name = link_name("name", name, "latest")

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Points the link to the run's output directory."""
        self._point(config)

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Points the link to the sweep directory."""
        self._point(config)

    def at_the_end(self, config: DictConfig) -> None:
        """Removes the link if it would be broken: the run's directory has vanished."""
        run = identify_run(config)
        if not run.rerun:
            remove_if_broken(config, self.name)

    def _point(self, config: DictConfig) -> None:
        run = identify_run(config)
        link = None if run.rerun else point_to(config, self.name, run.root, log, "the latest run")
        if link is not None:
            log.info("Latest run: %s", link)
