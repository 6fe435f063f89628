"""Which jobs a sweep has handed to its launcher, where the conductor keeps count."""

from collections.abc import Collection, Mapping
from typing import Any

from hydra_callback_kit.journal.line import END_OF_JOBS
from hydra_callback_kit.journal.values import as_text, from_json


class LaunchedJobs:
    """The lines that say so, folded as they come.

    Attributes:
        elsewhere: whether jobs may have run where the sweep's disk is not shared.
    """

    def __init__(self) -> None:
        self._said: dict[int, tuple[str, tuple[str, ...]]] = {}
        self.elsewhere = False
        self._returned: dict[int, str] = {}

    def add(self, line: Mapping[str, Any]) -> None:
        """Takes a line whose event is `jobs_launched` or `jobs_returned`."""
        returned = line["facts"].get("returned")
        for num in returned if isinstance(returned, list) else ():
            if type(num) is int:
                self._returned[num] = max(line["time"], self._returned.get(num, ""))
        launched = line["facts"].get("launched")
        self.elsewhere |= line["facts"].get("elsewhere") is True
        for num, overrides in launched.items() if isinstance(launched, dict) else ():
            if num.isdecimal() and len(num) < len(str(END_OF_JOBS)) and isinstance(overrides, list):
                said = line["time"], tuple(map(as_text, from_json(overrides)))
                self._said[int(num)] = max(said, self._said.get(int(num), said))

    def jobs(self) -> dict[int, tuple[str, ...]]:
        """The overrides of each by its number, in the order of the numbers; what was said last counts."""
        return {num: self._said[num][1] for num in sorted(self._said)}

    def returned(self) -> set[int]:
        """The numbers of the jobs that the launcher is done with."""
        return {num for num, time in self._returned.items() if num not in self._said or time >= self._said[num][0]}

    def expected(self, planned: int | None, numbers: Collection[int]) -> int | None:
        """How many jobs a sweep has to have to be whole.

        Args:
            planned: how many the sweeper was going to start; None if it chooses as it goes.
            numbers: of the jobs that have left a line.

        Returns:
            None where the jobs that have left a line are all that are known of.
        """
        known = {*self._said, *numbers}
        return planned if planned is not None or len(known) == len(numbers) else len(known)
