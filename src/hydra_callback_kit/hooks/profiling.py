"""What becomes of the profile of a job: it runs while the task function does, and its files and facts are written after."""

import os
from typing import Final

from omegaconf import DictConfig

from hydra_callback_kit.configs.identity import identify_job
from hydra_callback_kit.hooks.facts import add_job_facts
from hydra_callback_kit.hooks.job_file_name import job_file_name
from hydra_callback_kit.hooks.own_files import make_room, record_job_files
from hydra_callback_kit.journal.fingerprint import fingerprint_of
from hydra_callback_kit.journal.safe_log import SafeLogger
from hydra_callback_kit.measure.other_profiler import other_profiler
from hydra_callback_kit.measure.profiles import Profile, profile_of
from hydra_callback_kit.views.profiles import FACT, in_words

SUFFIXES: Final = (".html", ".txt", ".pstats", ".bin")


class ProfiledJob:
    """The profile of a job. None of its methods raises.

    Args:
        config: that of `on_job_start`.
        profiler: by what.
        log: the callback's logger.
    """

    def __init__(self, config: DictConfig, profiler: str, log: SafeLogger) -> None:
        self._config = config
        self._profiler = profiler
        self._log = log
        self._profile: Profile | None = None
        self._is_stopped = False
        add_job_facts({FACT: {"profiler": profiler, "files": []}}, config)

    def starts(self) -> None:
        """Begins it, unless something else profiles the thread already."""
        other = other_profiler()
        if other:
            self._log.caution("The job is not profiled: %s is at work in its process already.", other)
            return
        job = identify_job(self._config)
        stem = job.output_dir / job_file_name(self._config, "profile")
        profile = profile_of(self._profiler, stem, f"Job {job.job_num} of {job.job_name}")
        try:
            for suffix in SUFFIXES:
                if os.path.lexists(stem.with_suffix(suffix)):
                    make_room(job.run, self._log, stem.with_suffix(suffix))
            profile.start()
        except Exception as error:  # noqa: BLE001  whatever the profiler raises, the job goes on
            self._log.caution("The job is not profiled: %s: %s.", type(error).__name__, error)
        else:
            self._profile = profile

    def ends(self) -> None:
        """Ends it."""
        if self._profile is not None and not self._is_stopped:
            try:
                self._profile.stop()
                self._is_stopped = True
            except Exception as error:  # noqa: BLE001  the task function may have stopped it
                self._log.caution("There is no profile: %s: %s.", type(error).__name__, error)

    def leaves(self) -> None:
        """Writes it now, for no hook may be called any more."""
        self.write()

    def write(self) -> None:
        """Writes its files and facts, once."""
        profile, self._profile = self._profile, None
        if profile is None or not self._is_stopped:
            return
        try:
            files, top, share = profile.write()
            facts = {"profiler": self._profiler, "files": [file.name for file in files], "top": top, "top_share": share}
            if profile.cut_short_by is not None:
                facts["cut_short"] = True
            record_job_files(self._config, {FACT: facts}, {file.name: fingerprint_of(file) for file in files})
        except Exception as error:  # noqa: BLE001  a full disk, say
            self._log.caution("The profile cannot be written: %s: %s.", type(error).__name__, error)
        else:
            self._log.info("Profile: %s (%s)", files[0], in_words(facts))
            if profile.cut_short_by is not None:
                by = f" ({profile.cut_short_by})" if profile.cut_short_by else ""
                self._log.caution(
                    "The profile is cut short: the job has begun another profiler%s, which took its place. What came after "
                    "that is not in it.",
                    by,
                )
