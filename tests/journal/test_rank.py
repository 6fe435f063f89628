"""Which of a job's processes the calling one is, by what launchers say in the environment."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hydra_callback_kit.journal import rank
from hydra_callback_kit.journal.batch_job import Start, batch_job, this_start
from hydra_callback_kit.journal.identity import JobIdentity, RunIdentity
from hydra_callback_kit.journal.rank import JOB_VARIABLE, Rank, attempt_of, export, is_worker, rank_of_this_process

TORCHRUN = {"RANK": "1", "LOCAL_RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "here", "MASTER_PORT": "1"}
STEP = {"SLURM_JOB_ID": "7", "SLURM_STEP_ID": "0", "SLURM_NTASKS": "4", "SLURM_PROCID": "3"}


def said_by(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Rank | None:
    """The rank of a process that has these variables, and none else that a launcher sets."""
    for name in list(os.environ):
        if name.startswith(("SLURM_", "SUBMITIT_", "OMPI_", "PMI", "TORCHELASTIC_", "MASTER_")) or name in TORCHRUN:
            monkeypatch.delenv(name)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    rank._ranks.clear()
    try:
        return rank_of_this_process()
    finally:
        rank._ranks.clear()


@pytest.mark.parametrize(
    ("variables", "number", "size"),
    [
        (TORCHRUN, 1, 2),
        ({**TORCHRUN, "RANK": "0"}, 0, 2),
        ({"LOCAL_RANK": "1", "NODE_RANK": "0", "WORLD_SIZE": "2"}, 1, 2),
        ({"LOCAL_RANK": "1", "NODE_RANK": "1", "WORLD_SIZE": "8", "LOCAL_WORLD_SIZE": "4"}, 5, 8),
        ({"NODE_RANK": "0", "WORLD_SIZE": "2"}, 0, 2),
        (STEP, 3, 4),
        ({**STEP, "SLURM_STEP_NUM_TASKS": "8", "SLURM_NTASKS": "1"}, 3, 8),
        ({**STEP, **TORCHRUN}, 1, 2),
        ({"OMPI_COMM_WORLD_RANK": "2", "OMPI_COMM_WORLD_SIZE": "3"}, 2, 3),
        ({"PMI_RANK": "2", "PMI_SIZE": "3"}, 2, 3),
        ({"SUBMITIT_EXECUTOR": "local", "SUBMITIT_LOCAL_GLOBALID": "1", "SUBMITIT_LOCAL_NTASKS": "2"}, 1, 2),
    ],
)
def test_a_rank_is_recognised(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], number: int, size: int) -> None:
    """By torchrun, Lightning, a step of Slurm's, Open MPI, another MPI and submitit; the innermost counts."""
    found = said_by(monkeypatch, **variables)
    assert found is not None
    assert (found.number, found.size) == (number, size)


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"RANK": "senior"},
        {"RANK": "3"},
        {"RANK": "3", "WORLD_SIZE": "2"},
        {"RANK": "0", "WORLD_SIZE": "1"},
        {"LOCAL_RANK": "1"},
        {"LOCAL_RANK": "0", "WORLD_SIZE": "1"},
        {"SLURM_JOB_ID": "7", "SLURM_PROCID": "0", "SLURM_NTASKS": "4"},
        {**STEP, "SLURM_STEP_ID": "4294967290"},
        {**STEP, "SLURM_NTASKS": "1"},
        {"SLURM_PROCID": "3", "SLURM_NTASKS": "4"},
        {"OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "1"},
        {"PMI_RANK": "0", "PMI_SIZE": "1"},
        {"SUBMITIT_EXECUTOR": "local", "SUBMITIT_LOCAL_GLOBALID": "0", "SUBMITIT_LOCAL_NTASKS": "1"},
        {"RANK": "9" * 400, "WORLD_SIZE": "9" * 400},
    ],
)
def test_a_process_that_only_has_such_a_variable_is_none(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    """A variable of that name for something else, a job's script, an interactive shell, the only process of a job."""
    assert said_by(monkeypatch, **variables) is None


def test_ranks_of_one_start_have_a_word_in_common_that_another_has_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """A restart by torchrun, a requeue and a later step are other starts."""
    for variables, number in ((TORCHRUN, "RANK"), (STEP, "SLURM_PROCID")):
        first, second = (said_by(monkeypatch, **{**variables, number: each}) for each in "01")
        assert first is not None
        assert second is not None
        assert first.job == second.job
        for other in ({"TORCHELASTIC_RESTART_COUNT": "1"}, {"SLURM_RESTART_COUNT": "1"}, {"SLURM_STEP_ID": "1"}):
            found = said_by(monkeypatch, **{**variables, **other})
            assert found is not None
            assert (found.job == first.job) == (next(iter(other)).startswith("SLURM") != (variables is STEP))


def test_what_was_found_first_holds_for_the_process_but_not_for_its_children(monkeypatch: pytest.MonkeyPatch) -> None:
    """A trainer sets these variables for the processes that it is going to start."""
    assert said_by(monkeypatch) is None
    assert rank_of_this_process() is None
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert not is_worker()
    code = "from hydra_callback_kit.journal.rank import is_worker; print(is_worker())"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert child.stdout.strip() == "True"
    rank._ranks.clear()


def test_a_job_says_what_it_is_to_the_processes_that_it_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are ranks if they have a local rank; those that a process in between has started are not."""
    said_by(monkeypatch)
    run = RunIdentity("20260101T000000-aa", tmp_path / "a b", "MULTIRUN")
    code = "from hydra_callback_kit.journal import meeting, rank\nprint(rank.is_worker(), meeting.exported_by_the_parent())"
    in_between = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}])"
    try:
        export(JobIdentity(run, 3, attempt_of("ab", 3, 0), os.getpid(), None, "app", (), tmp_path))
        for each, expected in ((code, "True Meeting"), (in_between, "False None")):
            child = subprocess.run(
                [sys.executable, "-c", each],
                capture_output=True,
                text=True,
                check=True,
                env={**os.environ, "LOCAL_RANK": "1"},
            )
            assert child.stdout.startswith(expected), child.stderr
            assert ("start='ab', first_job=3" in child.stdout) == ("a b" in child.stdout) == (each == code)
    finally:
        export(None)
    assert JOB_VARIABLE not in os.environ


def test_a_start_follows_another_of_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slurm counts a job's requeues and steps, torchrun its restarts; a plain process is started once."""
    said_by(monkeypatch)
    assert (batch_job(), this_start()) == (None, None)
    said_by(monkeypatch, TORCHELASTIC_RESTART_COUNT="1", TORCHELASTIC_RUN_ID="x")
    assert this_start() == Start("torchrun x", (1,))
    said_by(monkeypatch, TORCHELASTIC_RESTART_COUNT="0")
    first = this_start()
    assert first is not None
    assert str(os.getppid()) in first.by
    said_by(monkeypatch, SLURM_JOB_ID="7", SLURM_STEP_ID="4294967290")
    assert this_start() == Start("slurm 7", (0, -1, 0))
    said_by(monkeypatch, SLURM_JOB_ID="7", SLURM_STEP_ID="2", SLURM_RESTART_COUNT="1", TORCHELASTIC_RESTART_COUNT="3")
    last = this_start()
    assert last == Start("slurm 7", (1, 2, 3))
    for earlier, certain in (((0, 5, 9), True), ((1, 2, 2), True), ((1, 1, 3), False)):
        assert last.is_another_of(Start("slurm 7", earlier))
        assert last.follows_for_certain(Start("slurm 7", earlier)) is certain
    assert not last.is_another_of(last)
    assert not last.is_another_of(None)


@pytest.mark.parametrize(
    ("variables", "word"),
    [
        ({**TORCHRUN, "TORCHELASTIC_RUN_ID": "x", "TORCHELASTIC_RESTART_COUNT": "3"}, "torch 2 x 3 here 1"),
        ({"RANK": "1", "WORLD_SIZE": "2"}, "torch 2    "),
        ({"LOCAL_RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "here", "MASTER_PORT": "1"}, "lightning 2 here 1"),
        ({"LOCAL_RANK": "1", "WORLD_SIZE": "2"}, "lightning 2  "),
        (STEP, "slurm 7.0 0"),
        ({"OMPI_COMM_WORLD_RANK": "2", "OMPI_COMM_WORLD_SIZE": "3", "PMIX_NAMESPACE": "n"}, "mpi 3 n"),
        ({"OMPI_COMM_WORLD_RANK": "2", "OMPI_COMM_WORLD_SIZE": "3"}, "mpi 3 "),
        ({"PMI_RANK": "2", "PMI_SIZE": "3", "PMI_JOBID": "j"}, "pmi 3 j"),
        ({"PMI_RANK": "2", "PMI_SIZE": "3"}, "pmi 3 "),
        (
            {
                "SUBMITIT_EXECUTOR": "local",
                "SUBMITIT_LOCAL_GLOBALID": "1",
                "SUBMITIT_LOCAL_NTASKS": "2",
                "SUBMITIT_LOCAL_JOB_ID": "9",
            },
            "submitit 9",
        ),
    ],
)
def test_the_word_for_a_start_says_all_that_tells_it_from_others(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], word: str
) -> None:
    """Processes of two releases can be ranks of one job: it is the same word in both."""
    found = said_by(monkeypatch, **variables)
    assert found is not None
    assert found.job == word


@pytest.mark.parametrize(
    "variables",
    [
        {"RANK": "2", "WORLD_SIZE": "2"},
        {"SUBMITIT_EXECUTOR": "local", "SUBMITIT_LOCAL_GLOBALID": "1"},
        {"SUBMITIT_EXECUTOR": "local", "SUBMITIT_LOCAL_NTASKS": "2"},
        {"SLURM_JOB_ID": "7", "SLURM_STEP_ID": "0", "SLURM_PROCID": "3"},
        {"SLURM_JOB_ID": "7", "SLURM_STEP_ID": "0", "SLURM_NTASKS": "4"},
        {"OMPI_COMM_WORLD_RANK": "2"},
        {"OMPI_COMM_WORLD_SIZE": "3"},
        {"PMI_RANK": "2"},
        {"PMI_SIZE": "3"},
    ],
)
def test_half_of_what_a_launcher_says_is_nothing(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    """Neither a number without a size, nor a size without a number, nor a number that is not below the size."""
    assert said_by(monkeypatch, **variables) is None


def test_only_a_child_of_the_job_is_lightnings_without_a_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """It knows the job by its parent's pid, the first word of what the job exports."""
    parent = os.getppid()
    rank_1 = Rank(1, None, "lightning None here 1")
    said = {"MASTER_ADDR": "here", "MASTER_PORT": "1"}
    assert said_by(monkeypatch, LOCAL_RANK="1", **said, **{JOB_VARIABLE: f"{parent} id MULTIRUN 0 ab /a b"}) == rank_1
    assert said_by(monkeypatch, LOCAL_RANK="0", **{JOB_VARIABLE: f"{parent} id"}) is None
    assert said_by(monkeypatch, LOCAL_RANK="1", **{JOB_VARIABLE: f"{parent}0 id"}) is None
    assert said_by(monkeypatch, NODE_RANK="1", **said, **{JOB_VARIABLE: f"{parent} id MULTIRUN 0 ab /a b"}) == rank_1


@pytest.mark.parametrize(("number", "works"), [("0", False), ("1", True), ("2", True)])
def test_every_rank_but_the_first_works_for_the_job(monkeypatch: pytest.MonkeyPatch, number: str, works: bool) -> None:
    """Rank 0 is the job."""
    found = said_by(monkeypatch, RANK=number, WORLD_SIZE="3")
    monkeypatch.setitem(rank._ranks, os.getpid(), found)
    assert is_worker() is works


def test_a_process_can_be_said_to_be_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever its variables say."""
    assert said_by(monkeypatch, **TORCHRUN) is not None
    try:
        rank.is_by_itself()
        assert rank_of_this_process() is None
    finally:
        rank._ranks.clear()


def test_a_forked_child_has_a_rank_and_a_start_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are kept by process, and only the calling one's."""
    monkeypatch.setattr(rank, "_starts", {})
    said_by(monkeypatch)
    try:
        assert rank_of_this_process() is None
        first = rank.own_start()
        assert first == rank.own_start()
        assert len(bytes.fromhex(first)) == 6
        monkeypatch.setattr(os, "getpid", lambda: 10**9)
        for name, value in TORCHRUN.items():
            monkeypatch.setenv(name, value)
        assert is_worker()
        assert rank.own_start() != first
        assert list(rank._ranks) == list(rank._starts) == [10**9]
    finally:
        rank._ranks.clear()


def test_an_attempt_is_named_without_spaces() -> None:
    """It is a word of a list of words."""
    assert attempt_of("torch 2 here", 3, 1) == "torch-2-here/3/1"


def test_a_path_that_no_variable_can_hold_is_not_exported(tmp_path: Path) -> None:
    """The job runs nevertheless."""
    run = RunIdentity("20260101T000000-aa", Path("/a\0b"), "MULTIRUN")
    export(JobIdentity(run, 3, attempt_of("ab", 3, 0), os.getpid(), None, "app", (), tmp_path))
    assert JOB_VARIABLE not in os.environ
