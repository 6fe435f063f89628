"""What was asked of jobs, on record: what is left of it is what was written, and what others write breaks nothing."""

import json

from hypothesis import given
from hypothesis import strategies as st

from hydra_callback_kit.journal.asked import (
    Asked,
    AskedJobs,
    Digests,
    differences,
    differing_keys,
    digest_of,
    leaves_out,
    with_differences,
)

values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(0, 2), st.floats(0, 2), st.text("ab", max_size=2)),
    lambda inner: st.lists(inner, max_size=2),
    max_leaves=4,
)
flats = st.dictionaries(st.sampled_from(["a", "a.b", "b", "c"]), values, max_size=4)
anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=3)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text("01²ab", max_size=3), inner, max_size=3)),
    max_leaves=8,
)


@given(before=flats, after=flats)
def test_differences_lead_from_one_to_the_other(before, after) -> None:
    """To the types of the values; and nothing differs in what is the same."""
    differs = differences(before, after)
    assert json.dumps(with_differences(before, differs), sort_keys=True) == json.dumps(after, sort_keys=True)
    assert set(differs) == set(differing_keys(before, after, lambda _: False))


@given(flat=flats, base=flats, other=flats, ignored=st.sampled_from(["", "a", "b"]))
def test_the_same_job_however_it_is_written(flat, base, other, ignored: str) -> None:
    """The digest depends on the config alone, not on what base it was written with; and only on what matters."""
    asked, is_left_out = AskedJobs(), leaves_out({ignored})
    asked.bases = {"base": base, "other": other}
    asked.jobs = {
        0: Asked("base", differences(base, flat)),
        1: Asked("other", differences(other, flat)),
        2: Asked("base", {}),
    }
    digests = Digests(asked, is_left_out)
    assert digests.of(0) == digests.of(1)
    assert (digests.of(0) == digests.of(2)) == (not list(differing_keys(flat, base, is_left_out)))


@given(facts=st.fixed_dictionaries({}, optional={"bases": anything, "asked": anything, "code": anything}))
def test_what_no_writer_writes(facts) -> None:
    """It is passed by."""
    asked = AskedJobs()
    asked.add_facts(facts)
    asked.hidden_keys()
    digests = Digests(asked, leaves_out(()))
    for num in [*asked.jobs, 7]:
        assert (digests.of(num) is None) == (asked.flat(num) is None)


def test_what_hides_a_secret_is_not_compared() -> None:
    """Wherever it stands in a value."""
    asked = AskedJobs()
    asked.add_facts(
        {"bases": {"b": {"url": "x://<redacted 12345>@y", "x": 1}}, "asked": {"0": ["b", {"l": [["<redacted 7>"]]}]}}
    )
    assert asked.hidden_keys() == {"url", "l"}


def test_a_key_that_is_ignored_goes_with_what_lies_below() -> None:
    """But not with others that only begin like it."""
    is_left_out = leaves_out({"model"})
    assert [key for key in ("model", "model.width", "model_name", "a.model") if is_left_out(key)] == ["model", "model.width"]


def test_what_is_on_record_of_a_job_is_whole_again() -> None:
    """What many share, with what is another in it; of another job, or without what it shares, nothing is known."""
    asked = AskedJobs()
    assert (asked.bases, asked.jobs, asked.code) == ({}, {}, {})
    asked.add_facts(
        {
            "bases": {"b": {"x": 1, "y": 2}, "odd": [1]},
            "asked": {"0": ["b", {"x": [3], "y": [], "gone": []}], "1": ["unknown", {}], "2": ["b", {}]},
            "code": {"app": "12"},
        }
    )
    assert [asked.flat(num) for num in range(4)] == [{"x": 3}, None, {"x": 1, "y": 2}, None]
    assert asked.code == {"app": "12"}
    asked.add_facts({"code": {"app": 12}})
    asked.add_facts({"code": ["app"]})
    assert asked.code == {"app": "12"}


def test_a_job_that_no_writer_has_written_is_not_one() -> None:
    """A number that is none or too large, and differences that are not one value or none."""
    asked = AskedJobs()
    jobs = {
        "9" * 15: ["b", {}],
        "9" * 16: ["b", {}],
        "9" * 17: ["b", {}],
        "x": ["b", {}],
        "1": ["b", {"x": [1, 2]}],
        "2": ["b", {"x": 1}],
        "3": ["b", {"x": ""}],
        "4": ["b"],
        "5": [1, {}],
        "6": ["b", {"x": [1], "y": []}],
    }
    asked.add_facts({"asked": jobs})
    assert asked.jobs == {int("9" * 15): Asked("b", {}), 6: Asked("b", {"x": [1], "y": []})}


def test_a_digest_is_short_and_does_not_depend_on_the_order() -> None:
    """It is kept for every job of a sweep."""
    assert digest_of({"a": 1, "b": [2.5, "é"]}) == digest_of({"b": [2.5, "é"], "a": 1})
    assert digest_of({"a": 1}) != digest_of({"a": 1.0})
    assert len(digest_of({})) == 16


def test_what_jobs_share_is_looked_through_once() -> None:
    """As are keys: sweeps have many jobs."""
    asked, seen = AskedJobs(), []
    asked.bases = {"b": {"x": 1, "y": 2}}
    asked.jobs = {num: Asked("b", {"z": [num]}) for num in range(3)}
    digests = Digests(asked, lambda key: seen.append(key) or False)
    assert len({digests.of(num) for num in range(3)}) == 3
    assert seen == ["x", "y", "z", "z", "z"]
