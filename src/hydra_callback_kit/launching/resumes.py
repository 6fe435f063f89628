"""A sweep that was stopped goes on: of the jobs that it had before, those that are done are not started again."""

import itertools
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar, Final

from hydra.core.utils import JobReturn, JobStatus
from omegaconf import DictConfig

from hydra_callback_kit.configs.asked import AskedConfigs
from hydra_callback_kit.configs.given_overrides import task_overrides
from hydra_callback_kit.configs.identity import identify_run
from hydra_callback_kit.configs.known_secrets import count_as_before, redaction_of
from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.configs.sweeping import swept_keys
from hydra_callback_kit.journal.asked import EVENT, Asked, AskedJobs, Digests, differences, leaves_out
from hydra_callback_kit.journal.batch_system import Slurm
from hydra_callback_kit.journal.command_line import as_typed, command_line
from hydra_callback_kit.journal.errors import message_of
from hydra_callback_kit.journal.handed_on import write_handed_on
from hydra_callback_kit.journal.masking import is_marked
from hydra_callback_kit.journal.overrides import override_key
from hydra_callback_kit.journal.safe_log import SafeLogger
from hydra_callback_kit.journal.taken_over import take_over
from hydra_callback_kit.journal.writer import utc_now, write_line
from hydra_callback_kit.launching.answering import completed, failed
from hydra_callback_kit.launching.before import Before, Wanted
from hydra_callback_kit.launching.earlier_marks import earlier_marks, secrets_that_varied
from hydra_callback_kit.launching.matching import Found, Matching, Wish
from hydra_callback_kit.launching.policy import Batch, Policy
from hydra_callback_kit.launching.record import STARTED_BEFORE
from hydra_callback_kit.launching.resuming_said import Decided, lines_about

_JOBS_OF_A_LINE: Final = 1_000

_log = SafeLogger("hydra_callback_kit.resume_callback")


class Resumes(Policy):
    """Lets start what is left and what is new.

    Args:
        config: the config of `on_multirun_start`.
        before: the earlier starts of the sweep: the one in its own directory, and the one that jobs are taken over from.
        code: a digest of each of the app's modules.
        wanted: what the user wants.
    """

    place: ClassVar[int] = 10

    def __init__(self, config: DictConfig, before: Sequence[Before], code: Mapping[str, str], wanted: Wanted) -> None:
        self._config = config
        self._run = identify_run(config)
        self._redaction = redaction_of(config)
        self._fixed = {override_key(each) for each in task_overrides(config) if not swept_keys([each])}
        self._varied = secrets_that_varied(before)
        self._before = before
        self._here = next((each for each in before if each.here), None)
        self._wanted = wanted
        self._configs = AskedConfigs(config)
        self._asked = AskedJobs()
        self._asked.bases = self._configs.bases  # which grow there
        on_record = AskedJobs() if self._here is None else self._here.on_record
        self._known, self._known_bases, self._known_code = dict(on_record.jobs), set(on_record.bases), on_record.code
        self._code = dict(code)
        self._matching: Matching | None = None
        self._found: dict[int, tuple[tuple[str, ...], Found]] = {}
        self._by_number: dict[int, Found] = {}
        self._at = utc_now()
        self._count = 0

    def plan(self, jobs: Sequence[Sequence[str]]) -> int:
        """Decides for all jobs of a sweep that are known as it starts, and says what becomes of them.

        Args:
            jobs: the overrides of each.

        Returns:
            How many of them are started.

        Raises:
            HydraException: if Hydra cannot compose one of them.
            OmegaConfBaseException: the same.
            ValueError: the same.
        """
        found = self._decide(dict(enumerate(jobs)), whole=True)
        on_record = set() if self._here is None else set(self._here.jobs)
        total = len(on_record.union(each.num for each in found.values()))
        if total != len(jobs):
            write_line(self._run, "run_facts", {"planned_jobs": total})
        return sum(each.earlier is None or each.earlier.what == "again" for each in found.values())

    def numbers(self, batch: Batch) -> Mapping[int, int]:
        """Finished jobs keep the numbers that they had; new ones get numbers that are free."""
        try:
            return self._numbers(batch)
        except Exception as error:
            if self._before:
                raise  # else jobs that are done would run again, and write over what they left
            _log.warning("What the sweep asks of its jobs is not on record: %s: %s", type(error).__name__, message_of(error))
            return {}

    def _numbers(self, batch: Batch) -> Mapping[int, int]:
        unknown = {num: words for num, words in batch.items() if self._found.get(num, ((),))[0] != tuple(words)}
        if unknown:
            self._decide(unknown, whole=False)
        found = {num: self._found[num][1] for num in batch}
        self._take_over(found)
        self._put_on_record(found)
        return {num: each.num for num, each in found.items() if each.num != num}

    def answers(self, batch: Batch) -> Mapping[int, JobReturn]:
        """What is on record of the jobs that are not started again."""
        answers = {}
        for num, overrides in batch.items():
            found = self._by_number.get(num)
            earlier = None if found is None else found.earlier
            if earlier is not None and earlier.what == "taken over":
                job = self._before_of(earlier.here).jobs[earlier.num]
                answers[num] = (completed if job.status == "COMPLETED" else failed)(job, overrides)
            elif earlier is not None and earlier.what == "waits":
                why = RuntimeError(f"job {num} was started before, and still runs or waits in a queue")
                answers[num] = JobReturn(overrides=list(overrides), status=JobStatus.FAILED, _return_value=why)
        return answers

    def _decide(self, asked: Batch, *, whole: bool) -> dict[int, Found]:
        self._asked.jobs |= {num: self._configs.asked(overrides) for num, overrides in asked.items()}
        if self._matching is None:
            hidden = [self._asked.hidden_keys(), *(each.asked.hidden_keys() for each in self._before)]
            self._is_left_out = leaves_out({*self._wanted.ignore, *itertools.chain.from_iterable(hidden)})
            self._digests = Digests(self._asked, self._is_left_out)
            self._matching = Matching(job for each in self._before for job in each.earlier(self._wanted, self._is_left_out))
        wishes = {
            num: Wish(self._digests.of(num), again=self._varies_a_secret(overrides)) for num, overrides in asked.items()
        }
        found = self._matching.find(wishes)
        self._found |= {num: (tuple(asked[num]), each) for num, each in found.items()}
        self._by_number |= {each.num: each for each in found.values()}
        shown = {num: self._redaction.of_overrides(words) for num, words in asked.items()}
        count_as_before(self._config, earlier_marks(self._before, shown, found, self._fixed))
        self._say(found, [found[num].num for num, wish in wishes.items() if wish.again], whole=whole)
        return found

    def _varies_a_secret(self, overrides: Sequence[str]) -> bool:
        """Whether an override that others need not have, or did not, is a secret: which one it was, nobody knows."""
        shown = self._redaction.of_overrides(overrides)
        return any(
            before != after and (override_key(before) not in self._fixed or override_key(before) in self._varied)
            for before, after in zip(overrides, shown, strict=True)
        )

    def _take_over(self, found: Mapping[int, Found]) -> None:
        for before in self._before:
            numbers = {
                each.earlier.num: each.num
                for each in found.values()
                if each.earlier is not None and not each.earlier.here and not before.here
            }
            if numbers:
                take_over(before.record.root, before.record.run_id, numbers, self._run)

    def _put_on_record(self, found: Mapping[int, Found]) -> None:
        """What is asked of jobs, and which of them this process is going to start."""
        new: dict[int, Asked] = {}
        for num, each in found.items():
            asked = self._as_it_ran(self._asked.jobs[num], each)
            if self._known.get(each.num) != asked:
                new[each.num] = self._known[each.num] = asked
        numbers = iter(new)
        while some := list(itertools.islice(numbers, _JOBS_OF_A_LINE)):
            bases = {new[num].base for num in some}.difference(self._known_bases)
            self._known_bases |= bases
            facts = {
                "bases": {name: self._asked.bases[name] for name in sorted(bases)},
                "asked": {str(num): [*new[num]] for num in some},
            }
            write_line(self._run, EVENT, {}, encoded=facts)
        if self._known_code != self._code:
            write_line(self._run, EVENT, {}, encoded={"code": self._code})
            self._known_code = self._code
        if self._run.goes_on and self._here is not None:
            jobs = self._here.jobs
            started = [each for each in found.values() if each.earlier is None or each.earlier.what == "again"]
            attempts = {each.num: jobs[each.num].attempts if each.num in jobs else 0 for each in started}
            notes = notes_of(self._config)
            notes[STARTED_BEFORE] = notes.get(STARTED_BEFORE, {}) | {num: times for num, times in attempts.items() if times}
            if attempts:
                write_handed_on(self._run, attempts, cluster=Slurm().cluster_here() or None)

    def _say(self, found: Mapping[int, Found], secret: Collection[int], *, whole: bool) -> None:
        """What becomes of the jobs, in the log and on record."""
        if not self._before:
            return
        decided = Decided(found, self._before, self._asked, self._is_left_out, self._wanted, secret, whole)
        for level, line in lines_about(decided):
            _log.log(level, "%s", line)
        done = sum(each.earlier is not None and each.earlier.what == "taken over" for each in found.values())
        if done or whole:
            self._count += done
            otherwise = {"otherwise": True} if self._asks_otherwise() else {}
            now = {"at": self._at, "taken_over": self._count, **otherwise, **self._command()}
            write_line(self._run, "run_facts", {"resumed": [*self._resumed_before(), now]})

    def _asks_otherwise(self) -> bool:
        """Whether the sweep has gone on with another command: then what was planned first says no longer what is left."""
        given = self._redaction.of_overrides(task_overrides(self._config))
        return self._here is not None and self._here.record.facts.get("overrides") != given

    def _command(self) -> dict[str, list[str]]:
        """What the sweep has gone on with, where that is not the command that it was started with."""
        words = list(self._redaction.of_command(command_line().words))
        first = None if self._here is None else as_typed(self._here.record.facts)
        unlike = first is not None and [*filter(_is_shown, first)] != [*filter(_is_shown, words)]
        return {"command": words} if unlike else {}

    def _resumed_before(self) -> list[Any]:
        known = None if self._here is None else self._here.record.facts.get("resumed")
        return known if isinstance(known, list) else []

    def _as_it_ran(self, asked: Asked, found: Found) -> Asked:
        """What is asked of a job that starts now; of another what was asked when it ran, ignored keys included."""
        earlier = found.earlier
        if earlier is None or earlier.what == "again":
            return asked
        if earlier.here and earlier.num in self._known:
            return self._known[earlier.num]
        flat = self._before_of(earlier.here).asked.flat(earlier.num)
        return asked if flat is None else Asked(asked.base, differences(self._asked.bases[asked.base], flat))

    def _before_of(self, here: bool) -> Before:
        return next(each for each in self._before if each.here == here)


def _is_shown(word: str) -> bool:
    return not is_marked(word)
