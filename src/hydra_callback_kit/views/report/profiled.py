"""The profiles of jobs, as the page links to them."""

from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import quote

from hydra_callback_kit.journal.records import RunRecord
from hydra_callback_kit.views.profiles import profiles_of
from hydra_callback_kit.views.report.columns import links

MAX_LINKS: Final = 50
"""Profiles that are linked."""


class ProfileLink(NamedTuple):
    """A profile on the page.

    Attributes:
        job_num: the job.
        address: of the profile's page; None where there is none.
        words: what it comes to.
    """

    job_num: int
    address: str | None
    words: str


def profile_links(run: RunRecord, beside: Path) -> list[ProfileLink]:
    """The profiles of a run's jobs.

    Args:
        run: the run.
        beside: the directory that the page will lie in.
    """
    profiles = profiles_of(run.jobs)[:MAX_LINKS]
    directories = links([each.job for each in profiles], run.root, beside)
    return [
        ProfileLink(
            each.job.job_num,
            None if each.page is None or directory is None else f"{directory}/{quote(each.page.name)}",
            each.words,
        )
        for each, directory in zip(profiles, directories, strict=True)
    ]
