"""Three processes that race for directories, and one that is killed while it writes its claim.

python racing.py race DIRECTORY ROUNDS NUMBER    prints the rounds that this process has won
python racing.py die DIRECTORY                   dies after each number of bytes, and prints what the next one finds
"""

import contextlib
import errno
import functools
import itertools
import json
import mmap
import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hydra_callback_kit.journal import claim as claims
from hydra_callback_kit.journal.claim import Claim, ClaimNotReadableError, claim_of, lay_claim
from hydra_callback_kit.journal.identity import RunIdentity

RACERS = 3
GONE = "gone"
"""The run that held a directory before."""

NO_LINKS = (errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)
"""What file systems say that have none."""


def is_without_links(number: int) -> bool:
    """Whether a round is on a file system without hard links."""
    return number % 2 == 0


def is_taken_over(number: int) -> bool:
    """Whether a round's directory has a holder that is gone."""
    return number % 4 > 1


def is_deadly(number: int) -> bool:
    """Whether one of a round's racers is killed while it writes, if it gets so far."""
    return number % 5 == 0


def is_lost(number: int) -> bool:
    """Whether the racer that is killed has a start over the others, and gets as far as half a claim."""
    return number % 20 == 10  # one without links, whose holder is gone


def a_claim(root: Path, run_id: str) -> Claim:
    """A claim of this process."""
    return claim_of(RunIdentity(run_id, root, "RUN"), ["python", "app.py"])


def prepare(directory: Path, rounds: int) -> None:
    """Makes the rounds' directories, and what the racers wait for each other with."""
    (directory / "round").write_bytes(bytes(4 * RACERS))
    for number in range(rounds):
        (directory / str(number)).mkdir()
        if is_taken_over(number):
            root = directory / str(number)
            lay_claim(root, a_claim(root, GONE), lambda _: True)
            (root / ".callbacks" / "claim-1.json").rename(root / ".callbacks" / f"claim-{number}.json")


def race(directory: Path, rounds: int, me: int) -> None:
    """Runs all rounds, each when all are there."""
    won = []
    with (directory / "round").open("r+b") as file, mmap.mmap(file.fileno(), 4 * RACERS) as memory:
        counters = memoryview(memory).cast("I")
        for number in range(rounds):
            claims._PAUSES_S = (0.001,) if is_deadly(number) else (0.01, 0.1, 1, 10)
            meet = functools.partial(wait_for_all, counters, me, number)
            root, without_links = directory / str(number), is_without_links(number)
            if is_deadly(number) and me == 0:
                # a claim has some 300 bytes, and is written twice where there are no links
                size = 400 if is_lost(number) else random.randrange(800)  # noqa: S311
                dies_after(size, root, str(me), without_links=without_links, meet=meet)
                continue
            meet()
            while is_lost(number) and not (root / ".callbacks" / f"claim-{number + 1}.json").exists():
                time.sleep(0.001)
            if wins(root, str(me), without_links=without_links):
                won.append(number)
        counters.release()
    sys.stdout.write(json.dumps(won))


def wait_for_all(counters: memoryview, me: int, number: int) -> None:
    """Returns when all have come to a round."""
    counters[me] = number + 1
    while min(counters) <= number:
        time.sleep(0)


def wins(root: Path, run_id: str, *, without_links: bool) -> bool:
    """Tries to get a directory, as `output_guard_callback` does."""

    def is_free(holder: Claim | None) -> bool:
        return holder is None or holder.run_id == GONE

    with links(allowed=not without_links), contextlib.suppress(ClaimNotReadableError):
        return lay_claim(root, a_claim(root, run_id), is_free)
    return False


@contextlib.contextmanager
def links(*, allowed: bool) -> Any:
    """What a file system without hard links answers."""
    link = os.link

    def none(*_: object) -> None:
        raise OSError(random.choice(NO_LINKS), "no links")  # noqa: S311

    os.link = link if allowed else none
    yield
    os.link = link


class Deadly(contextlib.AbstractContextManager):
    """A file whose writer is killed when so many bytes are written; the disk has them by then."""

    left = 0

    def __init__(self, descriptor: int, _: str) -> None:
        self.descriptor = descriptor

    def __exit__(self, *_: object) -> None:
        os.close(self.descriptor)

    def write(self, text: bytes) -> None:
        """Writes, and may not return."""
        os.write(self.descriptor, text[: Deadly.left])
        if Deadly.left < len(text):
            os._exit(9)
        Deadly.left -= len(text)


def dies_after(size: int, root: Path, run_id: str, *, without_links: bool, meet: Callable[[], None] = lambda: None) -> bool:
    """Tries to get a directory in a process that is killed after so many bytes; tells whether it was."""
    child = os.fork()
    if not child:
        Deadly.left = size
        os.fdopen = Deadly
        meet()
        wins(root, run_id, without_links=without_links)
        os._exit(0)
    return bool(os.waitpid(child, 0)[1])


def die(directory: Path) -> None:
    """Is killed here and there, and prints whether there was a claim, whether the next one got it, and what that saw."""
    claims._PAUSES_S = ()
    said = []
    for size in itertools.count(step=3):
        root = directory / str(size)
        root.mkdir()
        died = dies_after(size, root, "killed", without_links=True)
        claimed = (root / ".callbacks" / "claim-1.json").exists()
        seen = list[Claim | None]()
        try:
            got = lay_claim(root, a_claim(root, "next"), lambda holder, seen=seen: not seen.append(holder) and not holder)
            said.append([claimed, got, seen[0] and seen[0].run_id])
        except ClaimNotReadableError:
            said.append([claimed, False, "half"])
        if not died:
            break
    sys.stdout.write(json.dumps(said))


if __name__ == "__main__":
    if sys.argv[1] == "race":
        race(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    else:
        die(Path(sys.argv[2]))
