"""What Slurm says of its jobs, and what it is asked."""

import os
import sys

import pytest
from slurm import FakeSlurm, slurm

from hydra_callback_kit.journal import batch_system
from hydra_callback_kit.journal.batch_system import Slurm, answer_of
from hydra_callback_kit.journal.life import Found

__all__ = ["slurm"]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Slurm's commands are scripts here")
ME = os.getuid() if hasattr(os, "getuid") else 0


def test_squeue_is_asked_once_for_all_jobs(slurm: FakeSlurm) -> None:
    """Of arrays each element counts, by both of its ids; what has ended and what is not listed is gone."""
    slurm.says(
        "7_0  8   RUNNING     0", "7_1  7   PENDING  0", "9    9   CANCELLED  2", "10   10  COMPLETING  1", "", "odd line"
    )
    asked = Slurm()
    told = {job: asked.about(job, ME, None) for job in ("7_0", "8", "7_1", "9", "10", "99")}
    assert told == {
        "7_0": Found("runs", 0),
        "8": Found("runs", 0),
        "7_1": Found("waits", 0),
        "9": Found("gone", 2),
        "10": Found("runs", 1),
        "99": Found("gone", 0),
    }
    assert slurm.asked() == 1
    assert slurm.asked("scontrol") == 0


@pytest.mark.parametrize("state", ["PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT"])
def test_what_waits(slurm: FakeSlurm, state: str) -> None:
    """It is in the queue, or its nodes are just starting."""
    slurm.says(f"1 1 {state} 0")
    assert Slurm().about("1", ME, None) == Found("waits", 0)


def test_whoever_does_not_answer_says_nothing(slurm: FakeSlurm, monkeypatch: pytest.MonkeyPatch) -> None:
    """It fails, it is slow, or it is not there: that is no error, and nothing is known."""
    slurm.says("1 1 RUNNING 0", code=1)
    assert Slurm().about("1", ME, None) is None
    slurm.says("1 1 RUNNING 0", slow_s=30)
    assert Slurm(timeout_s=0.1).about("1", ME, None) is None
    monkeypatch.setenv("PATH", "")
    assert Slurm().about("1", ME, None) is None


def test_what_users_have_slurm_leave_out_is_asked_for_all_the_same(
    slurm: FakeSlurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their variables filter the answer; those that say where the controller is stay."""
    for name in ("SQUEUE_PARTITION", "SQUEUE_FORMAT2", "SLURM_CLUSTERS", "SACCT_FORMAT", "SLURM_CONF"):
        monkeypatch.setenv(name, "x")
    slurm.says("1 1 RUNNING 0")
    assert Slurm().about("1", ME, None) == Found("runs", 0)
    names = {line.partition("=")[0] for line in (answer_of("env") or "").splitlines()}
    assert {name for name in names if name.startswith(("SQUEUE", "SACCT", "SLURM"))} == {"SLURM_CONF"}


def test_another_clusters_jobs_have_the_same_numbers(slurm: FakeSlurm) -> None:
    """What this cluster says of them, or does not, means nothing."""
    slurm.says("1 1 RUNNING 0")
    asked = Slurm()
    assert asked.about("1", ME, "here") == Found("runs", 0)
    assert asked.about("1", ME, "elsewhere") is None
    assert asked.about("2", ME, "elsewhere") is None
    assert slurm.asked("scontrol") == 1


def test_another_users_jobs_may_be_hidden(slurm: FakeSlurm) -> None:
    """One that is not listed is not known to be gone."""
    slurm.says("1 1 RUNNING 0")
    asked = Slurm()
    assert asked.about("1", ME + 1, None) == Found("runs", 0)
    assert asked.about("2", ME + 1, None) is None
    assert asked.about("2", ME, None) == Found("gone", 0)
    assert slurm.asked() == 2


class Commands:
    """What is asked, and what is answered."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **answers: str) -> None:
        """By the name of the command; another is not there."""
        self.asked: list[tuple[tuple[str, ...], float]] = []

        def answer(*command: str, timeout_s: float) -> str | None:
            self.asked.append((command, timeout_s))
            return answers.get(command[0])

        monkeypatch.setattr(batch_system, "answer_of", answer)


CONFIG = "Configuration data as of 2026\nAccounting = a\nClusterNameX = b\nClusterName             = big=one \nOther = c\n"


@pytest.mark.parametrize(("answers", "name"), [({"scontrol": CONFIG}, "big=one"), ({"scontrol": "x = y"}, ""), ({}, "")])
def test_the_cluster_has_the_name_that_its_controller_says(
    monkeypatch: pytest.MonkeyPatch, answers: dict[str, str], name: str
) -> None:
    """Which is asked once, and only where no variable says it."""
    monkeypatch.delenv("SLURM_CLUSTER_NAME", raising=False)
    commands = Commands(monkeypatch, **answers)
    asked = Slurm(timeout_s=3)
    assert [asked.cluster_here(), asked.cluster_here()] == [name] * 2
    assert commands.asked == [(("scontrol", "show", "config"), 3)]
    monkeypatch.setenv("SLURM_CLUSTER_NAME", "said")
    assert Slurm().cluster_here() == "said"
    assert len(commands.asked) == 1


def test_squeue_is_asked_for_all_of_a_users_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ended ones and elements of arrays too, without a headline; again only when the answer is no longer fresh."""
    now = [100.0]
    monkeypatch.setattr(batch_system.time, "monotonic", lambda: now[0])
    commands = Commands(monkeypatch, squeue="1 1 RUNNING 0\n")
    asked = Slurm()
    for now[0] in (100.0, 100.0 + batch_system._FRESH_S):
        assert asked.about("1", 12, None) == Found("runs", 0)
    options = ("--noheader", "--all", "--array", "--states=all", "--user=12", f"--Format={batch_system._COLUMNS}")
    assert commands.asked == [(("squeue", *options), 10)]
    now[0] += 0.5
    assert asked.about("1", 12, None) == Found("runs", 0)
    assert len(commands.asked) == 2


def test_a_machine_that_was_just_started_asks_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its clock is near 0."""
    monkeypatch.setattr(batch_system.time, "monotonic", lambda: 0.25)
    commands = Commands(monkeypatch, squeue="1 1 RUNNING 0\n")
    asked = Slurm()
    assert asked.about("1", 12, None) == asked.about("1", 12, None) == Found("runs", 0)
    assert len(commands.asked) == 1
