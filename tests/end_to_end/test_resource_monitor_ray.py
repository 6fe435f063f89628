"""`resource_monitor_callback` under Ray: run with `-m ray`, in an environment that has the extra `ray`."""

import pytest
from apps import App
from end_to_end.test_ray import ON_RAY
from end_to_end.test_resource_monitor import BODY, CHILDREN, CONFIG, rows_in

pytestmark = pytest.mark.ray


def test_every_job_has_samples(app: App) -> None:
    """In Ray's workers as elsewhere: rows and facts of each job, its children counted."""
    app.write(BODY, CONFIG, CHILDREN)
    done = app.run("-m", *ON_RAY, "x=0,1,2", timeout_s=240)
    assert done.code == 1
    facts = [row["facts"]["resources"] for row in done.json("results.json")]
    assert [len(rows_in(done.root / str(number) / "resources.csv")) for number in range(3)] == [
        resources["samples"] for resources in facts
    ]
    assert facts[2]["peak_processes"] == 4
    assert facts[2]["peak_memory_bytes"] > 3 * 40_000_000
