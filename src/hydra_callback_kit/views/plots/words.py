"""What the figures say in words, and the colours of statuses."""

from typing import Any, Final

from hydra_callback_kit.views import wording

STATUS_COLOURS: Final = {
    "COMPLETED": "#009e73",
    "FAILED": "#d55e00",
    "PRUNED": "#cc79a7",
    "INTERRUPTED": "#e69f00",
    "RUNNING": "#56b4e9",
}


def hover(job: Any) -> str:
    """What is shown of a job beside the pointer."""
    return text_of(f"job {job.job_num}: {wording.overrides(job.task_overrides)}")


def text_of(text: str) -> str:
    """As it is: plotly reads some tags in what it shows."""
    return wording.shortened(text, 200).replace("&", "&amp;").replace("<", "&lt;")
