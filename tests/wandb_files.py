"""What W&B has kept offline, read back: the runs, and what was sent of each."""

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

_BLOCK: Final = 32_768
_HEAD: Final = 7


@dataclass
class KeptRun:
    """A run as W&B has kept it."""

    run_id: str
    project: str
    group: str
    job_type: str
    name: str
    tags: list[str]
    config: dict[str, Any] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)
    steps_of: dict[str, str] = field(default_factory=dict)
    exit_code: int | None = None
    """None if nobody has ended it."""

    def curve(self, name: str) -> list[tuple[Any, Any]]:
        """The steps and values of a metric."""
        return [(row.get("step"), row[name]) for row in self.rows if name in row]


def kept_runs(directory: Path) -> list[KeptRun]:
    """All runs below a directory, in the order in which they began."""
    return [_run(file) for file in sorted(directory.glob("wandb/offline-run-*/*.wandb"))]


def _run(file: Path) -> KeptRun:
    from wandb.proto import wandb_internal_pb2  # noqa: PLC0415  only where W&B is installed

    run: KeptRun | None = None
    for data in _records(file.read_bytes()):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(data)
        kind = record.WhichOneof("record_type")
        if kind == "run":
            said = record.run
            run = KeptRun(
                said.run_id,
                said.project,
                said.run_group,
                said.job_type,
                said.display_name,
                list(said.tags),
                _items(said.config),
            )
        assert run is not None or kind not in ("config", "history", "summary", "exit")
        if kind == "config":
            run.config.update(_items(record.config))
        elif kind == "history":
            run.rows.append({item.key or ".".join(item.nested_key): _value(item) for item in record.history.item})
        elif kind == "summary":
            run.summary.update(_items(record.summary))
        elif kind == "metric":
            run.steps_of[record.metric.name] = record.metric.step_metric
        elif kind == "exit":
            run.exit_code = record.exit.exit_code
    assert run is not None
    return run


def _items(record: Any) -> dict[str, Any]:
    return {item.key or ".".join(item.nested_key): _value(item) for item in record.update}


def _value(item: Any) -> Any:
    return json.loads(item.value_json)


def _records(data: bytes) -> Iterator[bytes]:
    """The records of a file, which is written as LevelDB writes its log; a torn one at the end is left out."""
    at, record = _HEAD, b""
    while at + _HEAD <= len(data):
        left = _BLOCK - at % _BLOCK
        _, length, kind = struct.unpack_from("<IHB", data, at)
        if left < _HEAD or kind == 0:
            at += left
            continue
        record += data[at + _HEAD : at + _HEAD + length]
        at += _HEAD + length
        if kind in (1, 4):
            yield record
            record = b""
