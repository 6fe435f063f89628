"""`keep_best_callback` and `profiler_callback` under Ray: run with `-m ray`, in an environment that has the extra `ray`."""

import pytest
from apps import App
from end_to_end.test_keep_best import BODY, CONFIG, left
from end_to_end.test_ray import ON_RAY

from hydra_callback_kit import load_run

pytestmark = pytest.mark.ray


def test_only_the_best_keep_their_checkpoints_and_each_has_its_profile(app: App) -> None:
    """In Ray's workers as elsewhere; a profile stays, whatever is deleted."""
    app.write(BODY, CONFIG.replace("keep_best_callback]", "keep_best_callback, profiler_callback]"))
    on = ("hydra.callbacks.profiler_callback.jobs=all", "hydra.callbacks.profiler_callback.profiler=cprofile")
    everything = "hydra.callbacks.keep_best_callback.what=['**']"
    done = app.run("-m", *ON_RAY, "x=0,1,2,3,4,5", *on, everything, timeout_s=240)
    assert done.code == 1
    assert left(done) == [1, 2, 3, 5]
    assert left(done, "profile.html") == list(range(6))
    assert all(job.facts["profile"]["files"] for job in load_run(done.root).jobs)
    assert (app.directory / "best").resolve() == done.root / "1"
