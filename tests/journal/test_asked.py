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
