"""Which jobs are started again after a launch, and how: by the names of what they failed by, and by who may have done it."""

from collections import Counter
from collections.abc import Collection, Mapping
from random import Random
from types import MappingProxyType

import pytest
from hydra.core.utils import JobReturn
from hypothesis import given
from hypothesis import strategies as st

from hydra_callback_kit.journal.errors import JobError
from hydra_callback_kit.launching.lost import Became
from hydra_callback_kit.launching.retry_plan import RetryPlan, Tries, retry_plan
from hydra_callback_kit.launching.retry_rule import is_one_of, is_the_last_word, is_worth_it, note

OUT_OF_MEMORY = ("torch.OutOfMemoryError", "RuntimeError", "Exception", "BaseException")
ABORTED = ("hydra_callback_kit.AbortRun", "SystemExit", "BaseException")
PRUNED = ("optuna.exceptions.TrialPruned", "optuna.exceptions.OptunaError", "Exception", "BaseException")


@pytest.mark.parametrize(
    ("kinds", "name", "is_it"),
    [
        (OUT_OF_MEMORY, "OutOfMemoryError", True),
        (OUT_OF_MEMORY, "torch.OutOfMemoryError", True),
        (OUT_OF_MEMORY, "torch.cuda.OutOfMemoryError", True),
        (OUT_OF_MEMORY, "RuntimeError", True),
        (OUT_OF_MEMORY, "builtins.RuntimeError", True),
        (OUT_OF_MEMORY, "jax.OutOfMemoryError", False),
        (OUT_OF_MEMORY, "MemoryError", False),
        (OUT_OF_MEMORY, "torch.RuntimeError", False),
        (("OSError",), "io.OSError", False),
        (("a.Outer.Inner",), "Inner", True),
    ],
)
def test_an_exception_is_known_by_its_names_and_those_of_its_bases(kinds: tuple[str, ...], name: str, is_it: bool) -> None:
    """A dotted name is that of a class from anywhere in the package."""
    assert is_one_of(kinds, [name]) is is_it


@pytest.mark.parametrize("kinds", [ABORTED, PRUNED, ("KeyboardInterrupt",)])
def test_what_is_meant_to_end_a_job_is_not_worth_another_attempt(kinds: tuple[str, ...]) -> None:
    """Also where a base of it is asked for."""
    assert not is_worth_it(kinds, [])
    assert not is_worth_it(kinds, ["BaseException", "Exception"])


def test_a_killed_job_is_worth_it_whatever_is_asked_for() -> None:
    """It failed by nothing that has a name."""
    assert is_worth_it((), ["OSError"])
    assert is_worth_it(("OSError",), ["OSError"])
    assert not is_worth_it(("ValueError",), ["OSError"])


def test_a_failure_is_the_last_word_where_no_attempt_is_left() -> None:
    """Or where it is not worth one, or where nobody tries again."""
    noted = note(["OSError"], {3: 2})
    assert not is_the_last_word(noted, 1, 2, ("OSError",))
    assert not is_the_last_word(noted, 3, 1, ("OSError",))
    assert is_the_last_word(noted, 3, 2, ("OSError",))
    assert is_the_last_word(noted, 1, 1, ("ValueError",))
    assert not is_the_last_word(noted, 1, 1, ())


def _became(
    *,
    done: Collection[int] = (),
    failed: Mapping[int, tuple[str, ...]] = MappingProxyType({}),
    killed: Collection[int] = (),
    unstarted: Collection[int] = (),
    valueless: Collection[int] = (),
) -> Became:
    return Became(
        dict.fromkeys(done, JobReturn()),
        {num: JobError(kinds[0], "", "", kinds[1:]) for num, kinds in failed.items()},
        frozenset(killed),
        frozenset(unstarted),
        frozenset(),
        frozenset(valueless),
    )


def test_failures_are_started_again_together_until_their_attempts_are_used_up() -> None:
    """Those that are not worth it, not at all."""
    became = _became(done={0}, failed={1: ("OSError",), 2: ("ValueError",), 3: ("OSError",)})
    plan = retry_plan(became, {3: Tries(2)}, 2, ["OSError"])
    assert plan == RetryPlan({1: Tries(1), 2: Tries(1), 3: Tries(3)}, frozenset({1}), frozenset(), frozenset({2, 3}))


def test_who_ran_in_a_pool_that_broke_once_is_started_with_the_others() -> None:
    """It costs none of them an attempt."""
    plan = retry_plan(_became(done={0}, killed={1, 2}, unstarted={3, 4}), {}, 2, [])
    assert (plan.together, plan.alone) == ({1, 2, 3, 4}, set())
    assert plan.tries == {1: Tries(0, 1), 2: Tries(0, 1)}


def test_who_ran_in_two_is_started_alone_and_who_kills_its_worker_then_pays_for_all_of_it() -> None:
    """The other one keeps its attempts."""
    plan = retry_plan(_became(killed={1, 2}, unstarted={4}), {1: Tries(0, 1), 2: Tries(0, 1)}, 2, [])
    assert (plan.together, plan.alone) == ({4}, {1, 2})
    after = retry_plan(_became(killed={1}), plan.tries, 2, [])
    assert (after.given_up, after.tries[1]) == ({1}, Tries(3))
    after = retry_plan(_became(failed={2: ("OSError",)}), after.tries, 2, [])
    assert (after.together, after.tries[2]) == ({2}, Tries(1, 2))


def test_with_one_retry_suspects_are_started_alone_at_once() -> None:
    """Who did it has no attempt to spend in company."""
    assert retry_plan(_became(killed={1, 2}), {}, 1, []).alone == {1, 2}


def test_a_launcher_that_says_which_job_is_gone_leaves_no_suspects() -> None:
    """Submitit's and Ray's do: each job has a process."""
    plan = retry_plan(_became(killed={1, 2}), {2: Tries(2)}, 2, [], said={1, 2})
    assert (plan.together, plan.alone, plan.given_up) == ({1}, set(), {2})


@pytest.mark.parametrize("kinds", [ABORTED, ("KeyboardInterrupt",)])
def test_after_an_abort_or_ctrl_c_nothing_is_started_again(kinds: tuple[str, ...]) -> None:
    """Of none of the jobs."""
    plan = retry_plan(_became(failed={0: kinds, 1: ("OSError",)}, killed={2}), {}, 2, [])
    assert plan == RetryPlan({}, over=True)


def test_where_no_job_has_started_the_fault_is_not_theirs() -> None:
    """A launcher that cannot launch would not the second time."""
    assert retry_plan(_became(unstarted={0, 1}), {}, 2, []) == RetryPlan({})


def test_who_has_completed_but_lost_its_value_is_started_again_and_pays_nothing() -> None:
    """With the others, then alone; where it is lost all the same, no job is to blame, and it comes to an end."""
    plan = retry_plan(_became(valueless={0}, killed={1}), {}, 1, [])
    assert (plan.together, plan.alone, plan.tries[0]) == ({0}, {1}, Tries(0, 0, 1))
    plan = retry_plan(_became(valueless={0}), plan.tries, 1, [])
    assert (plan.together, plan.alone, plan.tries[0]) == (set(), {0}, Tries(0, 0, 2))
    assert retry_plan(_became(valueless={0}), plan.tries, 9, []).given_up == {0}
    assert retry_plan(_became(failed={0: ("OSError",)}), plan.tries, 1, []).together == {0}


_KINDS = st.sampled_from(["completes", "fails once", "fails", "kills once", "kills"])


@given(
    st.lists(_KINDS, min_size=1, max_size=8),
    st.integers(1, 3),
    st.integers(1, 4),
    st.booleans(),
    st.booleans(),
    st.randoms(),
)
def test_each_job_comes_to_what_it_comes_to_by_itself(
    kinds: list[str], retries: int, workers: int, apart: bool, loses_values: bool, random: Random
) -> None:
    """Under a pool that breaks, and may lose what was returned, or a process for each.

    Who kills its worker each time costs no other job an attempt.
    """
    tries: dict[int, Tries] = {}
    starts: Counter[int] = Counter()
    done, given_up = set(), set()
    launches = [frozenset(range(len(kinds)))]
    while launches:
        batch = launches.pop(0)
        became, broke = _launched(batch, kinds, starts, workers, apart, random)
        if broke and loses_values and not apart:
            became = became._replace(done={}, valueless=frozenset(became.done))
        plan = retry_plan(became, tries, retries, [], said=became.killed if apart else ())
        tries = plan.tries
        done |= became.done.keys()
        given_up |= plan.given_up
        assert sorted([*became.done, *plan.given_up, *plan.again]) == sorted(batch)
        launches += [plan.together] if plan.together else []
        launches += [frozenset({num}) for num in plan.alone]
        assert broke or not plan.alone
    assert given_up == {num for num, kind in enumerate(kinds) if kind in ("fails", "kills")}
    assert done == set(range(len(kinds))) - given_up
    assert all(starts[num] == retries + 1 for num in given_up if kinds[num] == "fails" and apart)
    assert all(starts[num] <= retries + 1 for num in given_up if kinds[num] == "kills")


def _launched(
    batch: frozenset[int], kinds: list[str], starts: "Counter[int]", workers: int, apart: bool, random: Random
) -> tuple[Became, bool]:
    """What becomes of jobs of which so many run at once, and the first that kills its worker takes the others along."""
    left, running = sorted(batch), []
    done, failed, killed = set(), {}, set()
    while left or running:
        while left and len(running) < workers:
            running.append(left.pop(0))
            starts[running[-1]] += 1
        num = running.pop(random.randrange(len(running)))
        kind = kinds[num].removesuffix(" once") if starts[num] == 1 or " once" not in kinds[num] else "completes"
        if kind == "completes":
            done.add(num)
        elif kind == "fails":
            failed[num] = ("OSError",)
        elif apart:
            killed.add(num)
        else:
            return _became(done=done, failed=failed, killed={num, *running}, unstarted=set(left)), True
    return _became(done=done, failed=failed, killed=killed), bool(killed)
