"""The processes of a job, counted right while children come and go."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from machine import Machine

from hydra_callback_kit.measure.process_tree import Before, ProcessTree


def tree_of(machine: Machine, *, include_children: bool = True, pids: frozenset[int] | None = None) -> ProcessTree:
    """The tree of the machine's calling process, which had done nothing before."""
    return ProcessTree(machine, Before(0.0, 0, 0, pids), include_children=include_children)


def test_children_and_theirs_are_part_of_it_and_others_are_not() -> None:
    """Found at the first reading or later; memory, threads (without the sampling one) and processes are sums."""
    machine = Machine()
    machine.start(101, machine.own.pid)
    machine.start(900, 1)
    tree = tree_of(machine)
    assert tree.read().processes == 2
    machine.start(301, 302)
    machine.start(302, 101)
    machine.start(901, 900)
    use = tree.read()
    assert (use.processes, use.memory_bytes, use.threads) == (4, 4000, 7)
    assert tree.pids == {machine.own.pid, 101, 301, 302}
    machine.end(302)
    assert tree.read().processes == 3  # 301 stays the job's, although init is its parent now
    assert tree_of(machine, include_children=False).read().processes == 1


def test_what_was_there_before_counts_from_then_on() -> None:
    """A pool of workers had written before the job; a child that started after it, and before the first reading, had not."""
    machine = Machine()
    for pid in (101, 102):
        machine.start(pid, machine.own.pid).written = 50
    tree = tree_of(machine, pids=frozenset({101}))
    assert tree.read().written_bytes == 50
    machine.processes[101].written += 7
    assert tree.read().written_bytes == 57


def test_a_child_that_ends_while_it_is_read_is_counted_once() -> None:
    """Its parent was read before it: what it did is missing for one reading, and the next does not count it twice."""
    machine = Machine()
    child = machine.start(101, machine.own.pid)
    tree = tree_of(machine)
    tree.read()
    child.written = 1000
    assert tree.read().written_bytes == 1000
    machine.own.when_read = [lambda: machine.end(101)]
    assert tree.read().written_bytes == 1000
    machine.own.written += 5
    assert tree.read().written_bytes == 1005


def test_a_child_that_nobody_waits_for_does_not_make_it_shrink() -> None:
    """What it did is in no counter any more; the sum stays, and soon grows again."""
    machine = Machine()
    child = machine.start(101, machine.own.pid)
    tree = tree_of(machine)
    tree.read()
    child.written = 1000
    tree.read()
    machine.end(101, waited_for=False)
    assert [tree.read().written_bytes for _ in range(2)] == [1000, 1000]
    machine.own.written += 5
    assert tree.read().written_bytes == 1005


def test_what_a_process_does_not_give_away_is_not_known() -> None:
    """Part of a sum would be a wrong figure; what it does give away is known, and so is the sum once it is gone."""
    machine = Machine()
    child = machine.start(101, machine.own.pid)
    child.written, child.denied = 50, True
    tree = tree_of(machine)
    use = tree.read()
    assert (use.written_bytes, use.memory_bytes) == (None, 2000)
    child.denied = False
    assert tree.read().written_bytes == 0
    child.written += 3
    assert tree.read().written_bytes == 3


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("start"), st.integers(0, 9)),
            st.tuples(st.just("write"), st.integers(0, 9), st.integers(1, 100)),
            st.tuples(st.just("end"), st.integers(0, 9)),
            st.tuples(st.just("read")),
        )
    )
)
def test_all_that_was_done_is_counted_once(steps: list[tuple[Any, ...]]) -> None:
    """Whatever starts, works and ends between readings, the sum is what was done, if parents wait for their children."""
    machine = Machine()
    tree = tree_of(machine)
    tree.read()
    alive, done = [machine.own.pid], 0
    for number, (what, *details) in enumerate(steps):
        if what == "read":
            assert tree.read().written_bytes == done
            continue
        pid = alive[details[0] % len(alive)]
        if what == "start":
            alive.append(machine.start(1000 + number, pid).pid)
        elif what == "write":
            machine.processes[pid].written += details[1]
            done += details[1]
        elif pid != machine.own.pid and all(process.parent != pid for process in machine.processes.values()):
            machine.end(pid)
            alive.remove(pid)
    assert tree.read().written_bytes == done
