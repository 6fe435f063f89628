"""How far a sweep has come, in words and as a bar."""

import io
from dataclasses import dataclass

from hydra_callback_kit.views import wording


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a sweep has come.

    Attributes:
        name: the app.
        done: how many jobs have completed or failed.
        failed: how many of them failed.
        pruned: how many of them were pruned.
        interrupted: how many were interrupted.
        running: how many run now.
        total: how many jobs there will be; None if the sweeper chooses as it goes.
        elapsed_s: seconds since the sweep started.
    """

    name: str
    done: int
    failed: int
    interrupted: int
    running: int
    total: int | None
    elapsed_s: float
    pruned: int = 0

    @property
    def left_s(self) -> float | None:
        """Seconds until the end if it goes on like this; None where that cannot be said."""
        if self.total is None or not self.done:
            return None
        return self.elapsed_s / self.done * max(0, self.total - self.done - self.interrupted)

    @property
    def tenth(self) -> int | None:
        """How many tenths of the jobs are done; None if nobody knows how many there will be."""
        return 10 * self.done // self.total if self.total else None


def progress_text(progress: Progress, *, ended: bool = False) -> str:
    """Puts it into one line: `app: 12/50 jobs done, 1 failed, 2 running, 3 min 10 s left`.

    Args:
        progress: how far it has come.
        ended: whether the sweep is over; then its duration is said, not what is left.
    """
    return f"{progress.name}: {_counted(progress)} jobs done{_besides(progress, ended=ended)}"


def progress_bar(progress: Progress, width: int, encoding: str) -> str:
    """Draws a bar with the same figures.

    Args:
        progress: how far it has come.
        width: of the terminal, in columns.
        encoding: of the terminal.

    Returns:
        One line with the terminal's colours, at most as wide as it is.
    """
    from rich.console import Console  # noqa: PLC0415  only who looks at a terminal needs it
    from rich.progress_bar import ProgressBar  # noqa: PLC0415  the same
    from rich.text import Text  # noqa: PLC0415  the same

    style = "red" if progress.failed or progress.interrupted else ""
    name, figures = (progress.name, "bold"), (f" {_counted(progress)}{_besides(progress, ended=False)}", style)
    bar_width = min(40, width - len(name[0]) - 1 - len(figures[0]))
    console = Console(file=_Page(encoding), width=width, force_terminal=True, legacy_windows=False, highlight=False)
    with console.capture() as drawn:
        if progress.total and bar_width > 0:
            bar = ProgressBar(total=progress.total, completed=progress.done, width=bar_width)
            console.print(Text.assemble(name, " "), bar, Text.assemble(figures), sep="", end="")
        else:
            console.print(Text.assemble(name, figures), no_wrap=True, overflow="crop", end="")
    return drawn.get().replace("\n", "")


class _Page(io.StringIO):
    """Tells rich which characters the terminal has."""

    def __init__(self, encoding: str) -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]  # text in memory has none
        return self._encoding


def _counted(progress: Progress) -> str:
    return str(progress.done) if progress.total is None else f"{progress.done}/{progress.total}"


def _besides(progress: Progress, *, ended: bool) -> str:
    counted = ((progress.failed, "failed"), (progress.pruned, "pruned"), (progress.interrupted, "interrupted"))
    failed = "".join(f", {count} {status}" for count, status in counted if count)
    if ended:
        return f"{failed}, in {wording.duration(progress.elapsed_s)}"
    left = f", {wording.duration(progress.left_s)} left" if progress.left_s is not None else ""
    return f"{failed}, {progress.running} running{left}"
