"""TensorBoard's event files, read back with TensorBoard."""

from dataclasses import dataclass
from pathlib import Path


@dataclass
class Session:
    """A job as TensorBoard sees it."""

    hparams: dict[str, bool | float | str]
    scalars: dict[str, list[tuple[int, float]]]
    status: str


def sessions(root: Path) -> dict[str, Session]:
    """All jobs below a directory, by the names that TensorBoard gives them; one that has no end is `UNKNOWN`."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # noqa: PLC0415  only where it is
    from tensorboard.plugins.hparams import api_pb2, plugin_data_pb2  # noqa: PLC0415  the same

    found = {}
    for directory in sorted({file.parent for file in root.rglob("*tfevents*")}):
        events = EventAccumulator(str(directory))
        events.Reload()
        content = events.PluginTagToContent("hparams")
        start, end = plugin_data_pb2.HParamsPluginData(), plugin_data_pb2.HParamsPluginData()
        start.ParseFromString(content["_hparams_/session_start_info"])
        end.ParseFromString(content.get("_hparams_/session_end_info", b""))
        values = start.session_start_info.hparams.items()
        hparams = {name: getattr(value, value.WhichOneof("kind")) for name, value in values}
        tags = events.Tags()
        scalars = {
            tag: [(each.step, each.tensor_proto.float_val[0]) for each in events.Tensors(tag)]
            for tag in tags["tensors"]
            if not tag.startswith("_hparams_")
        }
        scalars |= {tag: [(each.step, each.value) for each in events.Scalars(tag)] for tag in tags["scalars"]}
        found[directory.relative_to(root).as_posix()] = Session(
            hparams, scalars, api_pb2.Status.Name(end.session_end_info.status).removeprefix("STATUS_")
        )
    return found
