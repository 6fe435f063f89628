"""The example of a callback of one's own does what its page says."""

import subprocess
import sys
from pathlib import Path

import pytest
from apps import HYDRA_VERSION, ON_LAUNCHER

EXAMPLE = Path(__file__).parents[2] / "examples" / "own_callback.py"


@pytest.mark.parametrize("launcher", ["basic", "joblib"])
def test_the_example(tmp_path: Path, launcher: str) -> None:
    """A job fails: the one prints the best job; the one by hand knows nothing of it under joblib, or is not even called."""
    command = [sys.executable, str(EXAMPLE), "-m", "lr=0.1,0.2,0.9,0.3", *ON_LAUNCHER[launcher]]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1
    assert done.stdout.count("best: job 1 with loss=0.0 (lr=0.2)") == 1
    assert "Callback BestByHand.on_job_end raised FloatingPointError" in done.stderr
    assert done.stdout.count("best by hand: loss=None") == (1 if HYDRA_VERSION >= (1, 4) and launcher == "joblib" else 0)
