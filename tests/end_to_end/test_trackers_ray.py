"""All trackers at once under Ray: run with `-m ray_trackers`, in an environment that has the extras of all of them."""

import pytest
from apps import ON_LAUNCHER, App
from event_files import sessions
from mlflow_server import MlflowServer
from tracker_app import ENDS, REPORTS, sync, write
from wandb_app import no_settings_of_the_user
from wandb_files import kept_runs

__all__ = ["no_settings_of_the_user"]  # a fixture

pytestmark = pytest.mark.ray_trackers

BODY = f"""
mlflow.log_metric("own", cfg.x)
wandb.log({{"own": cfg.x}})
{REPORTS}
{ENDS}
"""
NUMS = range(5)


def test_each_job_is_one_run_in_each(app: App) -> None:
    """One of them fails, and one is killed with its worker; the app's own calls are where they belong."""
    server = MlflowServer(app.directory)
    server.start()
    options = "mlflow_callback,wandb_callback,tensorboard_callback"
    more = f"mlflow_callback: {{tracking_uri: '{server.uri}', timeout_s: 100, setup_timeout_s: 200}}"
    write(app, options, BODY, preamble="import mlflow, wandb", more=f"{more}, wandb_callback: {{timeout_s: 100}}")
    try:
        arguments = [*ON_LAUNCHER["ray"], "+hydra.launcher.ray.remote.max_retries=0", "x=range(5)", "killed=4"]
        done = app.run("-m", *arguments, timeout_s=300)
        assert done.code != 0
        in_mlflow = {int(run.tags["hydra.job_num"]): run for run in server.runs("app", kind="job")}
        (sweep,) = server.runs("app", kind="sweep")
    finally:
        server.kill()
    assert {num: run.status for num, run in in_mlflow.items()} == dict.fromkeys(NUMS, "FINISHED") | {
        3: "FAILED",
        4: "KILLED",
    }
    assert sweep.status in ("FAILED", "KILLED")
    assert [in_mlflow[num].metrics["own"] for num in NUMS] == list(NUMS)
    in_wandb = {int(run.config["hydra"]["job_num"]): run for run in kept_runs(done.root)}
    assert {num: run.exit_code for num, run in in_wandb.items()} == dict.fromkeys(NUMS, 0) | {3: 1, 4: None}
    assert len(kept_runs(done.root)) == len(NUMS)
    assert [[row["own"] for row in in_wandb[num].rows if "own" in row] for num in NUMS] == [[num] for num in NUMS]
    assert sync(done.root, "--to", "wandb").endswith("5 jobs: 1 updated, 4 there already")
    in_tensorboard = [sessions(done.root)[f"{num}/tensorboard"] for num in NUMS]
    assert [session.status for session in in_tensorboard] == ["SUCCESS"] * 3 + ["FAILURE"] * 2
    for num in NUMS:
        curve = [(0, num), (10, num - 1), (20, num - 2)]
        assert in_wandb[num].curve("val/loss") == in_tensorboard[num].scalars["val/loss"] == curve
        assert in_mlflow[num].metrics["val/loss"] == num - 2
