"""The points of a CSV file that a library has written, cell by cell."""

import csv
from pathlib import Path

import pytest

from hydra_callback_kit.journal.csv_points import points_in
from hydra_callback_kit.journal.metric_points import Point

TIME = "2026-01-01T00:00:00.000000+00:00"


def points(path: Path, text: str | bytes) -> list[Point]:
    """Those of a file that holds this."""
    path.write_bytes(text.encode("utf-8") if isinstance(text, str) else text)
    return list(points_in(path, TIME))


def test_a_row_is_a_point_at_its_step(tmp_path: Path) -> None:
    """As Lightning writes it: what was not reported at a step is empty there, and a row of nothing else is none."""
    text = "epoch,lr,step,train_loss,val_acc\n0,,0,2.5,\n0,0.1,9,,0.75\n1,,19,,\n1,,29,nan,inf\n"
    first, second, third = points(tmp_path / "metrics.csv", text)
    assert first == Point(TIME, 0, {"train_loss": 2.5})
    assert second == Point(TIME, 9, {"lr": 0.1, "val_acc": 0.75})
    assert (third.time, third.step, str(third.values)) == (TIME, 29, "{'train_loss': nan, 'val_acc': inf}")
    assert type(first.step) is int


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("loss\n", []),
        ("loss\n1\n", [Point(TIME, None, {"loss": 1.0})]),
        ("epoch,loss\n3,1\n", [Point(TIME, 3, {"loss": 1.0})]),
        ("epoch,step,loss\n3,7,1\n", [Point(TIME, 7, {"loss": 1.0})]),
        ("step,loss\n0.5,1\n", [Point(TIME, 0.5, {"loss": 1.0})]),
        ("step,loss\n,1\n", [Point(TIME, None, {"loss": 1.0})]),
        ("step,loss\ninf,1\nnan,2\n", []),
        ("step,note,loss\n1,warm-up,2\n", [Point(TIME, 1, {"loss": 2.0})]),
        ("\ufeffloss,step\n1,2\n", [Point(TIME, 2, {"loss": 1.0})]),
        ("step,loss,acc\n1\n2,3\n", [Point(TIME, 2, {"loss": 3.0})]),
        ("step,loss\n1,2,3\n", [Point(TIME, 1, {"loss": 2.0})]),
        (b"step,l\xf6ss\n1,2\n", [Point(TIME, 1, {"l\ufffdss": 2.0})]),
    ],
)
def test_whatever_is_in_it(tmp_path: Path, text: str | bytes, expected: list[Point]) -> None:
    """Without steps, without a head, with cells that are no numbers, too few of them or too many."""
    assert points(tmp_path / "metrics.csv", text) == expected


def test_what_is_no_csv_file_is_named(tmp_path: Path) -> None:
    """And what is not there."""
    with pytest.raises(csv.Error):
        points(tmp_path / "metrics.csv", "step,loss\n1," + "9" * 200_000 + "\n")
    with pytest.raises(FileNotFoundError):
        list(points_in(tmp_path / "nowhere.csv", TIME))
