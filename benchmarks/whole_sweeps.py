"""What users pay: whole sweeps of do-nothing jobs against bare Hydra, every callback alone, sets of them, and the peer.

Hydra copies and merges the nodes of our options several times for each job, which no clock in the hooks sees. How much of it
any callbacks would cost is shown by some that do nothing.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from contenders import FIRST, Contender, Contenders
from harness import MEASURED, Line, interleaved, ratios, table, temporary_directory

from hydra_plugins.hydra_callback_kit.config import OPTIONS

JOBS = 100
REPETITIONS = 3
PARALLEL = ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
BOUNDS = {
    **dict.fromkeys(OPTIONS, 1.2),  # of those that came later
    **dict.fromkeys(FIRST, 1.06),
    "compose_once_callback": 0.3,
    **dict.fromkeys(("output_capture_callback", "upload_callback"), 1.35),  # each job has a pipe, or its files are copied
    "logging and performance": 1.10,
    "standard_callbacks": 1.10,
    "standard_callbacks, listed one by one": 1.17,
    "the first fourteen": 1.40,
    "everything": 3.0,
    "everything and compose_once_callback": 1.1,
}
AT_ONCE = 5
"""So many contenders take turns with bare Hydra: a slow minute of the machine then meets both."""


def lines(contenders: Contenders, jobs: int = JOBS, repetitions: int = REPETITIONS) -> list[Line]:
    """Measures; with 100 jobs a turn of all of them takes a quarter of an hour.

    Under joblib, where a callback costs Hydra's composing what it does without, those that came later are left out.

    Args:
        contenders: who; joblib must be among what they have installed.
        jobs: how many jobs a sweep has.
        repetitions: how often each is run.
    """
    sets = (contenders.both, contenders.standard, contenders.five, contenders.first, contenders.everything)
    several = [contenders.idle, contenders.all_idle, *sets, contenders.everything_once, contenders.peer]
    first = [each for each in contenders.alone if each.name in FIRST]
    return [
        line
        for launcher, arguments, alone in (("basic", (), contenders.alone), ("joblib, 2 workers", PARALLEL, first))
        for taking_turns in _in_parts([*several, *alone])
        for line in _against_bare(contenders, taking_turns, launcher, ["-m", f"x=range({jobs})", *arguments], repetitions)
    ]


def _in_parts(several: Sequence[Contender]) -> Iterator[Sequence[Contender]]:
    for place in range(0, len(several), AT_ONCE):
        yield several[place : place + AT_ONCE]


def _against_bare(
    contenders: Contenders, several: Sequence[Contender], launcher: str, arguments: Sequence[str], repetitions: int
) -> list[Line]:
    commands = [each.command(*arguments) for each in (contenders.bare, *several)]
    with temporary_directory() as directory:
        contenders.write_app(Path(directory))
        bare, *others = interleaved(commands, Path(directory), repetitions, warm_up=False)
    return [
        Line.of(
            f"whole sweep, {launcher}, {MEASURED[field]} against bare: {contender.name}",
            ratios(usages, bare, field),
            BOUNDS.get(contender.name),
        )
        for contender, usages in zip(several, others, strict=True)
        for field in ("wall_s", "cpu_s")
    ]


if __name__ == "__main__":
    with temporary_directory() as environments:
        print(table(lines(Contenders(Path(environments), also=("hydra-joblib-launcher",)))))
