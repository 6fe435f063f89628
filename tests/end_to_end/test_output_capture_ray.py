"""`output_capture_callback` under Ray: run with `-m ray`, in an environment that has the extra `ray`."""

import pytest
from apps import App
from end_to_end.test_output_capture import CONFIG, FAILS, WRITES, tails, whole
from end_to_end.test_ray import ON_RAY

pytestmark = pytest.mark.ray


def test_each_job_has_what_it_wrote(app: App) -> None:
    """In Ray's workers, which have files of their own for their streams, as elsewhere."""
    app.write(FAILS, CONFIG, WRITES)
    done = app.run("-m", *ON_RAY, "x=0,1,2", timeout_s=240)
    assert done.code == 1
    for x in range(3):
        output = (done.root / str(x) / "output.log").read_text()
        assert whole(output, x)
        assert tails(done.root, x) == {"output.log": output.strip()}
