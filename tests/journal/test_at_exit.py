"""What is done as a process ends is done whole, however often Ctrl-C is pressed."""

import signal
import subprocess
import sys
import textwrap

import pytest


@pytest.mark.parametrize("presses", [0, 1])
def test_ctrl_c_does_not_cost_the_rest_of_the_work(presses: int) -> None:
    """The work is begun again, and the process ends as it would have ended."""
    script = f"""
        import signal
        from hydra_callback_kit.journal.at_exit import at_exit

        signal.signal(signal.SIGINT, signal.default_int_handler)
        begun = []

        @at_exit
        def work():
            begun.append(1)
            if len(begun) <= {presses}:
                signal.raise_signal({int(signal.SIGINT)})
            print("begun", len(begun), "times, and done")
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True, timeout=60
    )
    assert (ended.stdout, ended.stderr) == (f"begun {presses + 1} times, and done\n", "")


@pytest.mark.parametrize(
    "module", ["journal.writer", "hooks.job_lines", "hooks.end_of_run", "callbacks.resource_monitor_callback"]
)
def test_whatever_works_at_the_end_of_a_process_does_it_so(module: str) -> None:
    """A function registered with atexit itself would be left in the middle."""
    script = f"""
        import atexit, sys
        registered = []
        atexit.register = lambda function: registered.append(function) or function
        import hydra_callback_kit.{module}
        ours = [function for function in registered if function.__module__.startswith("hydra_callback_kit")]
        assert ours, "nothing is done at the end"
        print(*(function.__module__ for function in ours))
    """
    ended = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True)
    assert set(ended.stdout.split()) == {"hydra_callback_kit.journal.at_exit"}
