"""Jobs that are started again under Ray: run with `-m ray`, in an environment that has the extra `ray`."""

import pytest
from apps import App
from end_to_end.test_retry import ended, starts, sweep

pytestmark = pytest.mark.ray


@pytest.mark.in_ci
def test_who_is_lost_is_started_again_and_who_goes_on_is_waited_for(app: App) -> None:
    """Ray's launcher gives up at the first job that is lost; the others are queued, or run on."""
    done = sweep(app, "ray", {0: "kills_once", 1: "fails_once"}, "+hydra.launcher.ray.remote.max_retries=0", count=6)
    assert done.code == 0, done.stderr
    assert starts(app) == {0: 2, 1: 2, 2: 1, 3: 1, 4: 1, 5: 1}
    assert ended(done.root) == {num: ("COMPLETED", 2 if num < 2 else 1) for num in range(6)}


def test_who_is_lost_each_time_has_failed(app: App) -> None:
    """And no other job with it."""
    done = sweep(app, "ray", {0: "kills"}, "+hydra.launcher.ray.remote.max_retries=0", count=3)
    assert done.code == 1
    assert "RuntimeError: job 0 was killed" in done.stderr
    assert starts(app) == {0: 3, 1: 1, 2: 1}
    assert ended(done.root) == {0: ("INTERRUPTED", 3), 1: ("COMPLETED", 1), 2: ("COMPLETED", 1)}
