"""The ranks of a job on one machine share a place: one takes it, the others are told."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from devices.test_claim import start
from ranks import open_mpi_rank, srun_rank, torchrun_rank

from hydra_callback_kit.devices import ranks
from hydra_callback_kit.devices.grant import Grant
from hydra_callback_kit.devices.place import Place
from hydra_callback_kit.devices.ranks import Leader
from hydra_callback_kit.devices.wanted import DeviceError
from hydra_callback_kit.journal.process import this_process

ASKS = """
if os.environ.get("LATE"):
    time.sleep(float(os.environ["LATE"]))
print(claim(TWO).device, sees(), flush=True)
sys.stdin.readline()
"""


def said_by(path: Path, *environments: Mapping[str, str]) -> list[str]:
    """What processes with these environments get, all at once."""
    started = [start(path, ASKS, **each) for each in environments]
    lines = []
    for process in started:
        assert process.stdout is not None
        lines.append(process.stdout.readline().strip())
    for process in started:
        process.communicate("\n", timeout=60)
    return lines


@pytest.mark.parametrize("says", [torchrun_rank, srun_rank, open_mpi_rank])
def test_all_have_what_the_first_has_taken(tmp_path: Path, says: Callable[[int, int], dict[str, str]]) -> None:
    """Also those that were there earlier; another job has the other device; nothing is left beside the claims."""
    other = start(tmp_path, ASKS)
    assert other.stdout is not None
    assert other.stdout.readline() == "0 0\n"
    assert said_by(tmp_path, says(1, 3), {**says(0, 3), "LATE": "1"}, says(2, 3)) == ["1 1"] * 3
    other.communicate("\n")
    assert [each.name for each in tmp_path.iterdir()] == ["claims"]


def test_the_first_of_each_machine_takes_one(tmp_path: Path) -> None:
    """Rank 2 is the first of the second machine, which is this one, too: it has a device of its own."""
    second_machine = {**torchrun_rank(2, 4), "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "2"}
    assert sorted(said_by(tmp_path, torchrun_rank(0, 4), second_machine)) == ["0 0", "1 1"]


def test_ranks_that_see_other_devices_have_their_own(tmp_path: Path) -> None:
    """As where Slurm gives each task a GPU."""
    first, second = srun_rank(0, 2), srun_rank(1, 2)
    said = said_by(tmp_path, {**first, "GPUS_VISIBLE_DEVICES": "0"}, {**second, "GPUS_VISIBLE_DEVICES": "1"})
    assert said == ["0 0", "1 1"]


def test_a_start_before_says_nothing(tmp_path: Path) -> None:
    """Its first rank was killed, and has left its note, under the same name."""
    killed = start(tmp_path, "claim(TWO._replace(devices=('7',)))\nprint(flush=True)\ntime.sleep(60)", **torchrun_rank(0, 2))
    assert killed.stdout is not None
    killed.stdout.readline()
    killed.kill()
    killed.communicate()
    assert len(list(tmp_path.iterdir())) == 2
    assert said_by(tmp_path, torchrun_rank(1, 2), {**torchrun_rank(0, 2), "LATE": "0.5"}) == ["0 0", "0 0"]


def test_where_nobody_says_anything_that_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And where it cannot be said; who waits says so, and is waited for."""
    monkeypatch.setattr(ranks, "_PATIENCE_S", 0.3)
    monkeypatch.setattr(ranks, "_PAUSE_S", 0.01)
    note = tmp_path / "note"
    follower = Leader(note, is_me=False)
    for text in ("nonsense", "[[[", '{"a": 1}', '[["h", 1, null], "X", null, [1, 2]]'):
        note.write_text(text)
        with pytest.raises(DeviceError, match="has not said in 0 s which device"):
            follower.follow("X", None)
    place = Place("0", "0", None, ("X 0",))
    leader = Leader(note, is_me=True)
    leader.tell(Grant(this_process(), "X", None, place))
    assert follower.follow("X", None) == place
    assert follower.follow("X", "0") is None
    assert follower.follow("Y", None) is None
    with pytest.raises(DeviceError, match="The other ranks of this job cannot be told"):
        Leader(tmp_path / "not" / "there", is_me=True).tell(Grant(this_process(), "X", None, place))
    leader._forget(0)
    assert note.exists()
    leader._forget(this_process().pid)
    assert not note.exists()
