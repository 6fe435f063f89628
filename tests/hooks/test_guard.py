"""A callback never breaks the user's job: full disks, directories that cannot be written, and hooks that fail."""

import logging
import subprocess
import sys
from typing import Any

import pytest
from apps import NO_TORN_BYTECODE, App

from hydra_callback_kit.hooks.guard import never_breaks_the_job

BOTH = "defaults:\n- callbacks: [logging_callback, performance_callback]\n- _self_\nx: 0"


class Failing:
    """Its hook fails as told."""

    @never_breaks_the_job
    def hook(self, error: BaseException, **kwargs: Any) -> None:
        """Raises."""
        raise error


def test_a_failing_hook_is_logged_once_and_the_job_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    """The same failure in a hundred jobs is one error: our bug with its traceback, the disk's with advice."""
    for _ in range(100):
        Failing().hook(RuntimeError("a bug"))
        Failing().hook(OSError(28, "No space left on device", "/x/performance.json"))
    bug, disk = caplog.records
    assert bug.exc_info is not None
    assert "Failing.hook" in bug.getMessage()
    assert "/x/performance.json" in disk.getMessage()
    assert "Free some space" in disk.getMessage()
    assert disk.exc_info is None
    assert {record.levelno for record in caplog.records} == {logging.ERROR}


def test_what_is_meant_to_stop_the_run_passes() -> None:
    """SystemExit is the way out, and Ctrl-C is the user's."""
    for error in (SystemExit(3), KeyboardInterrupt()):
        with pytest.raises(type(error)):
            Failing().hook(error)


@pytest.mark.parametrize("mode", [[], ["-m"]])
def test_a_blocked_journal_costs_one_error_line(app: App, mode: list[str]) -> None:
    """A file stands where the journal's directory goes: the app's result and exit code are untouched."""
    app.write('print("result", cfg.x)', BOTH)
    (app.directory / "out").mkdir()
    (app.directory / "out" / ".callbacks").write_text("in the way")
    done = app.run(*mode, "x=3")
    assert done.code == 0, done.stderr
    assert "result 3" in done.stdout
    assert done.stdout.count("cannot be written") == 1
    assert "Traceback" not in done.stdout + done.stderr


def test_a_full_disk_costs_one_error_line(app: App) -> None:
    """The file size limit is reached in the middle of the journal: as with a full disk, the job and its result stand."""
    body = """
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))
    print("result", "ok")
    """
    app.write(body, BOTH.replace("logging_callback, ", ""))
    done = app.run("-m", "x=range(0,9)", "hydra/job_logging=none", "hydra.output_subdir=null", **NO_TORN_BYTECODE)
    assert done.code == 0, done.stderr
    assert done.stdout.count("result ok") == 9
    assert (done.stdout + done.stderr).count("cannot be written") == 1
    assert max(file.stat().st_size for file in done.root.glob(".callbacks/*")) <= 1500
    assert "running" not in done.stdout.lower()  # what ended and could not say so


def test_a_sweep_directory_that_vanishes_costs_one_error_line(app: App) -> None:
    """The job removes everything below it: said once, and the sweep's exit code is its own."""
    app.write("import shutil\nshutil.rmtree('out')", BOTH)
    done = app.run("-m", "x=1,2")
    assert done.code == 0, done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_another_callback_that_fails_makes_no_difference(app: App) -> None:
    """A hook of the user's raises: Hydra warns, and our files are there."""
    preamble = """
    from hydra.experimental.callback import Callback
    class Broken(Callback):
        def __getattribute__(self, name):
            if name.startswith("on_"):
                raise RuntimeError("broken")
            return object.__getattribute__(self, name)
    """
    app.write("return 1", BOTH + "\nhydra:\n  callbacks:\n    broken:\n      _target_: __main__.Broken", preamble)
    done = app.run("-m", "x=1,2")
    assert done.code == 0
    assert done.json("performance.json")["jobs_completed"] == 2


def test_a_child_of_the_job_does_not_end_the_run(app: App) -> None:
    """A forked child that exits the ordinary way runs its parent's exit handlers, and on Hydra 1.4 its end hooks."""
    app.write(
        """
        if os.fork() == 0:
            sys.exit(0)
        os.wait()
        return 1
        """,
        BOTH,
    )
    done = app.run("-m", "x=1,2")
    assert done.code == 0
    journal = "".join(file.read_text("utf-8") for file in done.root.glob(".callbacks/*"))
    assert journal.count('"run_ended"') == 1
    assert journal.count('"job_ended"') == journal.count('"COMPLETED"') == 2
    assert done.stdout.count("Sweep ended") == 1


def test_an_app_without_files_or_log_handlers_still_works(app: App) -> None:
    """Logging switched off, no `.hydra` directory: performance.json is there all the same."""
    app.write("return 1", BOTH)
    done = app.run("hydra/job_logging=none", "hydra/hydra_logging=none", "hydra.output_subdir=null")
    assert done.code == 0
    assert done.json("performance.json")["jobs_completed"] == 1


def test_hooks_of_ours_leave_no_thread_behind(app: App) -> None:
    """Nothing runs on after the job."""
    app.write("import threading, atexit\natexit.register(lambda: print('threads', threading.active_count()))", BOTH)
    assert "threads 1" in app.run().stdout


def test_the_plugin_alone_costs_an_app_no_import_of_ours() -> None:
    """An app that chose no callback has loaded none of our modules."""
    code = (
        "import hydra.core.plugins as p, sys; p.Plugins.instance(); print([m for m in sys.modules if 'callback_kit.' in m])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['hydra_plugins.hydra_callback_kit.config']"
