"""Which earlier job is which: each is taken once, and numbers never meet."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from hydra_callback_kit.launching.matching import Earlier, Matching, Wish

digests = st.sampled_from([b"a", b"b", b"c", b"d"])
earlier_jobs = st.dictionaries(
    st.tuples(st.booleans(), st.integers(0, 9)),
    st.tuples(st.one_of(st.none(), digests), st.sampled_from(["taken over", "waits", "again"]), st.booleans()),
    max_size=10,
).map(
    lambda jobs: [
        Earlier(num, digest, what, here=here, started=started or what != "again")
        for (here, num), (digest, what, started) in jobs.items()
        if here or what == "taken over"
    ]
)
wishes = st.dictionaries(st.integers(0, 12), st.builds(Wish, st.one_of(st.none(), digests), st.booleans()), max_size=12)


@given(earlier=earlier_jobs, asked=wishes, parts=st.integers(1, 3))
def test_each_is_taken_once_and_no_number_twice(earlier: list[Earlier], asked: dict[int, Wish], parts: int) -> None:
    """In one batch or several: same digest, different numbers, and never that of another job that was started."""
    matching = Matching(earlier)
    found = {}
    for part in range(parts):
        found |= matching.find({num: wish for num, wish in asked.items() if num % parts == part})
    assert found.keys() == asked.keys()
    assert len({each.num for each in found.values()}) == len(found)
    used = Counter((each.earlier.here, each.earlier.num) for each in found.values() if each.earlier)
    assert set(used.values()) <= {1}
    started = {job.num: job for job in earlier if job.here and job.started}
    for num, each in found.items():
        if each.earlier is None:
            assert each.num not in started
        else:
            assert each.earlier.digest == asked[num].digest
            assert each.num == (each.earlier.num if each.earlier.here else num)
            assert not (asked[num].again and each.earlier.what == "taken over")
            assert each.num not in started or started[each.num].digest == each.earlier.digest


@given(asked=st.lists(digests, max_size=12), done=st.sets(st.integers(0, 11)))
def test_the_same_command_again(asked: list[bytes], done: set[int]) -> None:
    """Each job is the one that had its number, whatever became of it and however often it is asked for."""
    earlier = [Earlier(num, digest, "taken over" if num in done else "again") for num, digest in enumerate(asked)]
    found = Matching(earlier).find({num: Wish(digest) for num, digest in enumerate(asked)})
    assert {num: each.num for num, each in found.items()} == {num: num for num in range(len(asked))}
    assert {num for num, each in found.items() if each.earlier and each.earlier.what == "taken over"} == {
        num for num in done if num < len(asked)
    }


@given(before=st.lists(digests, max_size=8), asked=st.lists(digests, max_size=8))
def test_as_many_are_taken_over_as_are_in_both(before: list[bytes], asked: list[bytes]) -> None:
    """Another order, fewer or more: what is in both is not run again."""
    earlier = [Earlier(num, digest, "taken over") for num, digest in enumerate(before)]
    found = Matching(earlier).find({num: Wish(digest) for num, digest in enumerate(asked)})
    assert sum(each.earlier is not None for each in found.values()) == (Counter(before) & Counter(asked)).total()


def test_new_jobs_get_free_numbers() -> None:
    """`lr=0.1,0.2` became `lr=0.05,0.1,0.2`: the finished ones keep their numbers, the new one has the next."""
    earlier = [Earlier(0, b"0.1", "taken over"), Earlier(1, b"0.2", "taken over")]
    found = Matching(earlier).find({0: Wish(b"0.05"), 1: Wish(b"0.1"), 2: Wish(b"0.2")})
    assert [each.num for each in found.values()] == [2, 0, 1]


def test_what_is_done_comes_first() -> None:
    """Of two that are the same the one that has completed is the answer, and the other is run if both are asked for."""
    earlier = [Earlier(0, b"a", "again"), Earlier(1, b"a", "taken over")]
    assert Matching(earlier).find({0: Wish(b"a")})[0].num == 1
    both = Matching(earlier).find({0: Wish(b"a"), 1: Wish(b"a")})
    assert [(each.num, each.earlier and each.earlier.what) for each in both.values()] == [(0, "again"), (1, "taken over")]
