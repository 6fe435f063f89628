"""End to end: the task function of some jobs is profiled, whatever becomes of them."""

import sys

import pytest
from apps import App
from terminal import cli

from hydra_callback_kit.journal.reader import read_run

CONFIG = """
defaults:
  - callbacks: [logging_callback, profiler_callback]
  - _self_
x: 0
password: swordfish
"""
BODY = """
spin()
if cfg.x == 1:
    raise ValueError("boom")
return cfg.x
"""
PREAMBLE = """
def spin(seconds=0.05):
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass
"""
ONLY = "hydra.callbacks.profiler_callback"


def test_the_jobs_that_are_chosen_are_profiled(app: App, launcher: str) -> None:
    """Also one that fails, whose traceback begins in the task function; files and the top function are on record."""
    app.write(BODY, CONFIG, PREAMBLE)
    done = app.sweep(launcher, "x=0,1,2", f"{ONLY}.jobs=[1,2]")
    assert done.code == 1
    assert {path.parent.name for path in done.root.glob("*/profile.html")} == {"1", "2"}
    assert "spin" in (done.root / "1" / "profile.txt").read_text("utf-8")
    facts = {job.job_num: job.facts.get("profile") for job in read_run(done.root).jobs}
    assert facts[0] is None
    for num in (1, 2):
        assert facts[num].items() >= {"profiler": "pyinstrument", "files": ["profile.html", "profile.txt"]}.items()
        assert facts[num]["top"].startswith("spin") or facts[num]["top"] == "perf_counter"
        assert 0 < facts[num]["top_share"] <= 1
    if sys.version_info >= (3, 11):  # before, a traceback keeps the frame that an exception passes on from
        assert "launching/profiled.py" not in done.log(1)
    said = cli("report", done.root)
    assert said.code == 0, said.err
    assert '<a href="2/profile.html">job 2</a>' in (done.root / "report.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("profiler", "files"),
    [
        ("cprofile", {"profile.html", "profile.txt", "profile.pstats"}),
        ("memray", {"profile.html", "profile.txt", "profile.bin"}),
        ("pyinstrument", {"profile.html", "profile.txt"}),
    ],
)
def test_each_profiler_writes_its_files(app: App, profiler: str, files: set[str]) -> None:
    """Into the job's directory, and nothing of the command line stands in them; another run in it takes their place."""
    app.write("held = bytes(10_000_000)\nspin()", CONFIG, PREAMBLE)
    for _ in range(2):
        done = app.run(f"{ONLY}.profiler={profiler}", "password=hunter2")
        assert done.code == 0
        assert "is not profiled" not in done.stdout
    written = {path.name: path.read_bytes() for path in done.root.glob("profile*")}
    assert written.keys() == files
    assert not any(b"hunter2" in content or b"swordfish" in content for content in written.values())
    assert "main" in written["profile.txt"].decode("utf-8")
    if profiler == "memray":
        del written["profile.html"], written["profile.bin"]  # they are as memray makes them
    ours = (b"launching/profiled.py", b"profiling.py", b"traced_profile", b"sampled_profile", b"'disable'")
    assert not [name for name, content in written.items() if any(each in content for each in ours)]


@pytest.mark.parametrize("leaves", ["sys.exit(3)", "raise KeyboardInterrupt"])
def test_a_job_that_leaves_has_its_profile(app: App, leaves: str) -> None:
    """The exit code is as without it."""
    app.write(f"spin()\n{leaves}", CONFIG, PREAMBLE)
    codes = [app.run(*more).code for more in ((), ("~hydra.callbacks.profiler_callback", "hydra.run.dir=bare"))]
    assert codes[0] == codes[1] != 0
    assert (app.directory / "out" / "profile.html").exists()
    (job,) = read_run(app.directory / "out").jobs
    assert job.facts["profile"]["files"] == ["profile.html", "profile.txt"]


def test_a_job_that_takes_too_long_has_its_profile(app: App) -> None:
    """Whichever of the two callbacks comes first."""
    app.write("spin(30)", CONFIG.replace("[logging", "[time_limit_callback, logging"), PREAMBLE)
    done = app.sweep("basic", "x=0", "hydra.callbacks.time_limit_callback.job_s=0.3")
    assert done.code == 1
    assert "JobTimeoutError" in done.log(0)
    assert "spin" in (done.root / "0" / "profile.txt").read_text("utf-8")


def test_a_job_that_was_killed_has_none_and_it_is_said(app: App) -> None:
    """At the end of the sweep."""
    app.write("if cfg.x == 1:\n    os.kill(os.getpid(), signal.SIGKILL)\nspin()", CONFIG, PREAMBLE)
    done = app.sweep("submitit_local", "x=0,1", f"{ONLY}.jobs=all")
    assert done.code == 1
    assert "There is no profile of job 1: killed, or stopped from outside." in done.stdout + done.stderr
    assert (done.root / "0" / "profile.html").exists()


@pytest.mark.parametrize(("arguments", "came"), [(["-m", "x=0,2"], "jobs 0-1"), ([], "job 0")])
def test_numbers_that_never_came_are_said_at_the_end(app: App, arguments: list[str], came: str) -> None:
    """Once, of a sweep and of a single run."""
    app.write(BODY, CONFIG, PREAMBLE)
    done = app.run(*arguments, f"{ONLY}.jobs=[0,7,9]")
    assert done.code == 0
    assert done.stdout.count(f"There is no profile of jobs 7, 9: only {came} came.") == 1
    assert done.stdout.count("There is no profile") == 1


@pytest.mark.parametrize(
    "at_work",
    [
        "sys.setprofile(lambda *_: None)",
        "sys.settrace(lambda *_: None)",
        "import cProfile; own = cProfile.Profile(); own.enable()",
    ],
)
def test_where_something_else_is_at_work_there_is_none(app: App, at_work: str) -> None:
    """One warning, and the job runs."""
    app.write(BODY, CONFIG, f"{PREAMBLE}\n{at_work}\n")
    done = app.run(f"{ONLY}.profiler=cprofile")
    assert done.code == 0
    assert done.stdout.count("The job is not profiled") == 1
    assert not list(done.root.glob("profile.*"))


OWN = """
import cProfile

class Own:
    calls = 0
    def enable(self):
        sys.setprofile(self.count)
    def disable(self):
        sys.setprofile(None)
    def count(self, frame, event, argument):
        self.calls += event == "call" and frame.f_code is later.__code__

own = OWN()
def later():
    spin()
"""
AFTER = """
    main()
    later()
    own.disable()
    if isinstance(own, cProfile.Profile):
        own.create_stats()
        own.calls = next(figures[0] for function, figures in own.stats.items() if function[2] == "later")
    print("calls", own.calls)
"""


@pytest.mark.parametrize("own", ["cProfile.Profile", "Own"])
@pytest.mark.parametrize("profiler", ["pyinstrument", "cprofile"])
def test_a_job_that_profiles_itself_sees_it_all(app: App, profiler: str, own: str) -> None:
    """Also after the job; ours ends where that one takes its place, which is said once and on record."""
    app.write("spin()\nown.enable()\nlater()", CONFIG, PREAMBLE + OWN.replace("OWN", own))
    source = (app.directory / "app.py").read_text()
    (app.directory / "app.py").write_text(source.replace("\n    main()\n", AFTER))
    done = app.run(f"{ONLY}.profiler={profiler}")
    assert done.code == 0, done.stderr
    assert "calls 2\n" in done.stdout
    # from 3.12 on cProfile has another place than the others have
    takes_its_place = sys.version_info < (3, 12) or (profiler == "cprofile") == (own == "cProfile.Profile")
    (job,) = read_run(done.root).jobs
    assert job.facts["profile"].get("cut_short", False) is takes_its_place
    assert done.stdout.count("The profile is cut short: the job has begun another profiler") == takes_its_place
    text = (done.root / "profile.txt").read_text("utf-8")
    assert ("ut short: another profiler took its place" in text) is takes_its_place
    assert "spin" in text
    assert ("later" in text) is not takes_its_place


def test_two_of_pyinstruments_share_its_place(app: App) -> None:
    """A job's own cuts nothing short."""
    own = "from pyinstrument import Profiler\nwith Profiler(interval=0.01):\n    spin()\nlater()"
    app.write(own, CONFIG, PREAMBLE + OWN.replace("OWN", "Own"))
    done = app.run()
    assert done.code == 0, done.stderr
    assert "cut short" not in done.stdout
    assert "later" in (done.root / "profile.txt").read_text("utf-8")
