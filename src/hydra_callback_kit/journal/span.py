"""What the lines of one run, or of one attempt at a job, say of it: the same whatever order they come in."""

import json
from collections.abc import Container, Mapping
from typing import Any

from hydra_callback_kit.journal.process import ProcessIdentity
from hydra_callback_kit.journal.values import as_json, from_json

Line = Mapping[str, Any]


class Span:
    """Something that a process starts and ends: a run, or one attempt at a job.

    A sweep of 100,000 jobs has as many of these, so facts are kept once, and what tells how late each was stated is a list
    of the lines' times and of the names they stated, which most lines share. Only where a fact is stated again, as by a task
    function that adds facts in a loop, is there a time for each name.
    """

    __slots__ = ("_said", "_times", "another", "attempt", "ended_at", "facts", "process", "since", "started_at")

    def __init__(self, attempt: str, another: "Span | None" = None) -> None:
        self.attempt = attempt
        self.another = another
        self.started_at: str | None = None
        self.ended_at: str | None = None
        self.process: ProcessIdentity | None = None
        self.since = ""
        self.facts: dict[str, Any] = {}
        self._said: list[Any] = []
        self._times: dict[str, str] | None = None

    def add(self, line: Line, names: tuple[str, ...], process: ProcessIdentity) -> None:
        """Takes a line.

        Args:
            line: the line.
            names: of the facts that it states.
            process: who wrote it.
        """
        time: str = line["time"]
        facts, stated = self.facts, map(from_json, line["facts"].values())
        if facts.keys().isdisjoint(names):
            facts.update(zip(names, stated))  # noqa: B905  as many names as facts; this runs for each line
        else:
            for name, fact in zip(names, stated, strict=True):
                if name not in facts or _is_later((time, fact), (self._all_times()[name], facts[name])):
                    facts[name] = fact
        if self._times is not None:
            self._times.update((name, max(time, self._times.get(name, ""))) for name in names)
        elif names:
            self._said += time, names
        event: str = line["event"]
        if event.endswith("_started"):
            if self.started_at is None or time < self.started_at:
                self.started_at = time
        elif event.endswith("_ended") and (self.ended_at is None or time > self.ended_at):
            self.ended_at = time
        first = self.process
        if first is None or time < self.since or (time == self.since and str(process) < str(first)):
            self.process, self.since = process, time

    def _all_times(self) -> dict[str, str]:
        if self._times is None:
            said = self._said
            times: dict[str, str] = {}
            for time, names in zip(said[::2], said[1::2], strict=True):
                times.update((name, max(time, times.get(name, ""))) for name in names)
            self._times, self._said = times, []
        return self._times

    def last_said(self) -> str | None:
        """The time of its last line that states a fact, as the first line of each does; None if there is none."""
        return max(self._said[::2] if self._times is None else self._times.values(), default=None)

    def get(self, name: str, *kinds: type) -> Any:
        """The fact; None if it is not stated or not of the kinds it should be."""
        value = self.facts.get(name)
        return value if type(value) in kinds else None

    def others(self, names: Container[str]) -> dict[str, Any]:
        """The facts of other names, in the order of their names."""
        return {name: self.facts[name] for name in sorted(self.facts) if name not in names}


def _is_later(a: tuple[str, Any], b: tuple[str, Any]) -> bool:
    """Of two lines that state the same fact the later counts; equal times are settled by the value, not by the order."""
    return a[0] > b[0] or (a[0] == b[0] and a[1] != b[1] and json.dumps(as_json(a[1])) > json.dumps(as_json(b[1])))
