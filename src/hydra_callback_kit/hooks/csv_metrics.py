"""The metrics of a job that a CSV file tells, such as the one that Lightning's `CSVLogger` leaves."""

import csv
import time
from typing import Final

from omegaconf import DictConfig

from hydra_callback_kit.configs.identity import identify_job
from hydra_callback_kit.hooks.job_recorder import how_it_ended
from hydra_callback_kit.hooks.metric_recorder import record_points
from hydra_callback_kit.journal.csv_points import points_in
from hydra_callback_kit.journal.safe_log import SafeLogger
from hydra_callback_kit.journal.writer import utc_now

_CLOCKS_S: Final = 2.0
"""How far the clock of a file system may be behind."""


def take_csv(config: DictConfig, pattern: str, log: SafeLogger) -> None:
    """Reports what the newest file that matches tells, of those that were written since the job started.

    Args:
        config: that of `on_job_end`.
        pattern: a glob in the job's output directory.
        log: is told what cannot be read.
    """
    started_s = time.time() - (how_it_ended(config).duration_s or 0) - _CLOCKS_S
    found = [(file.stat().st_mtime, file) for file in identify_job(config).output_dir.glob(pattern) if file.is_file()]
    newest = max((each for each in found if each[0] >= started_s), default=None)
    if newest is None:
        return
    points = []
    try:
        for point in points_in(newest[1], utc_now()):
            points.append(point)  # noqa: PERF402  what came before an error counts
    except csv.Error as error:
        log.warning("%s cannot be read to its end: %s", newest[1], error)
    if not points:
        log.warning("%s tells no metrics: it is no table of numbers whose head names them", newest[1])
    record_points(config, points)
