"""Claims: however processes race, and wherever one is killed, at most one gets a directory."""

import itertools
import json
import subprocess
import sys
from pathlib import Path

import racing
from hypothesis import settings


def test_of_three_that_race_one_wins(tmp_path: Path) -> None:
    """With hard links and without, for a free directory and for one whose holder is gone.

    Where a racer is killed while it writes, no other gets a directory that it had claimed.
    """
    rounds = settings.default.max_examples
    racing.prepare(tmp_path, rounds)
    command = [sys.executable, racing.__file__, "race", str(tmp_path), str(rounds)]
    racers = [subprocess.Popen([*command, str(me)], stdout=subprocess.PIPE, text=True) for me in range(racing.RACERS)]
    won: dict[int, list[int]] = {number: [] for number in range(rounds)}
    for me, racer in enumerate(racers):
        for number in json.loads(racer.communicate(timeout=900)[0]):
            won[number].append(me)
    for number, winners in won.items():
        root = tmp_path / str(number)
        first = number + 1 if racing.is_taken_over(number) else 1
        (file,) = set((root / ".callbacks").glob("claim-*.json")) - {root / ".callbacks" / f"claim-{first - 1}.json"}
        assert file.name == f"claim-{first}.json"
        if winners or not racing.is_deadly(number):
            (winner,) = winners
            assert json.loads(file.read_text())["run_id"] == str(winner)
    assert {len(winners) for number, winners in won.items() if racing.is_lost(number)} == {0}


def test_who_is_killed_while_claiming_leaves_no_free_half(tmp_path: Path) -> None:
    """After every third byte, without links: what is not whole is somebody's, and what was never claimed is free."""
    done = subprocess.run(
        [sys.executable, racing.__file__, "die", str(tmp_path)], capture_output=True, text=True, check=True
    )
    said = json.loads(done.stdout)
    free, half, whole = ([False, True, None], [True, False, "half"], [True, False, "killed"])
    assert [found for found, _ in itertools.groupby(said)] == [free, half, whole]
    assert said.count(free) > 50 < said.count(half)
