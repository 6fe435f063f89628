"""Whether a sweep may go on: who may not is told why, and what to do."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hook_calls import config_of

from hydra_callback_kit import AbortRun, ParameterError, ResumeCallback
from hydra_callback_kit.hooks.resuming import Resume, ask_whether_it_goes_on
from hydra_callback_kit.journal.process import ProcessIdentity, this_process

LIVES = ProcessIdentity(this_process().host, os.getppid(), None)


@pytest.mark.parametrize(
    ("holder", "said"),
    [
        (LIVES, r"process \d+ on \S+ is about to let it go on. Wait for its end, and start this again if"),
        (ProcessIdentity("elsewhere", 1, None), r"cannot be seen from here. If it is: \S+.assume_gone=true"),
        (None, r"Wait for its end, and start this again; if nobody is, remove \S+/again-sweep-1.json"),
    ],
)
def test_of_several_that_let_a_sweep_go_on_the_others_are_told_what_to_do(
    tmp_path: Path, holder: ProcessIdentity | None, said: str
) -> None:
    """To wait, or how to go on where nobody is there any more."""
    (tmp_path / ".callbacks").mkdir()
    text = "?" if holder is None else json.dumps(holder._asdict())
    (tmp_path / ".callbacks" / "again-sweep-1.json").write_text(text)
    with pytest.raises(AbortRun, match=said):
        ask_whether_it_goes_on(config_of(tmp_path, mode="MULTIRUN"), Resume(None, (), (), "warn", assume_gone=False))


@pytest.mark.parametrize("given", ["", " "])
def test_no_directory_is_not_the_current_one(given: Any) -> None:
    """An empty word is a mistake, such as a variable that is not set."""
    with pytest.raises(ParameterError, match="Write resume_from=null for none"):
        ResumeCallback(resume_from=given)
