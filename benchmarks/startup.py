"""What a single run costs against bare Hydra: every callback alone, sets of them, and the peer."""

from pathlib import Path

from contenders import PEER, Contenders
from harness import MEASURED, Line, interleaved, ratios, table, temporary_directory

BOUNDS = {
    ("installed, not used", "cpu_s"): 1.02,
    ("logging and performance", "wall_s"): 1.06,
    ("standard_callbacks", "wall_s"): 1.15,
    ("standard_callbacks", "peak_rss_bytes"): 1.3,
    ("the first fourteen", "wall_s"): 1.5,
    ("the first fourteen", "peak_rss_bytes"): 1.5,
}


def lines(contenders: Contenders, repetitions: int = 25) -> list[Line]:
    """Measures all contenders in turn, so many times.

    Args:
        contenders: who.
        repetitions: how often; a turn takes about ten seconds.
    """
    sets = (contenders.both, contenders.standard, contenders.first, contenders.everything)
    measured = [contenders.bare, contenders.installed, *sets, contenders.peer, *contenders.alone]
    with temporary_directory() as directory:
        contenders.write_app(Path(directory))
        bare, *others = interleaved([each.command() for each in measured], Path(directory), repetitions)
    result = []
    for contender, usages in zip(measured[1:], others, strict=True):
        alone = contender in contenders.alone
        for field, name in MEASURED.items():
            if not alone or field == "wall_s":
                what = f"single run, {name} against bare: {contender.name}"
                result.append(Line.of(what, ratios(usages, bare, field), BOUNDS.get((contender.name, field))))
    return result


if __name__ == "__main__":
    with temporary_directory() as environments:
        print(table(lines(Contenders(Path(environments)))))
        print(f"\nThe peer is {PEER}: GitInfo, LatestRunLink, RuntimePerformance and RegisterRunCallback.")
