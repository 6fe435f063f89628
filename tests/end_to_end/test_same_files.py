"""No run starts in which a callback would write into Hydra's log, or into what another callback writes."""

import pytest
from apps import App

CONFIG = """
defaults:
  - callbacks:
      - output_capture_callback
      - performance_callback
      - results_aggregator_callback
      - resource_monitor_callback
      - profiler_callback
      - thread_safe_callback
  - _self_
x: 0
"""
OURS = "hydra.callbacks"
LOG = "hydra.job_logging.handlers.file.filename"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["-m", "x=1,2", f"{OURS}.output_capture_callback.file=./app.log"],
            (
                f"{OURS}.output_capture_callback.file would write ./app.log, which is Hydra's log ({LOG}). "
                f"Write {OURS}.output_capture_callback.file=output.log."
            ),
        ),
        ([f"{OURS}.performance_callback.output_file=app.log"], f"which is Hydra's log ({LOG})"),
        (
            [f"{LOG}=${{hydra:runtime.output_dir}}/${{hydra.job.name}}.txt", f"{OURS}.output_capture_callback.file=app.txt"],
            "file would write app.txt, which is Hydra's log",
        ),
        (
            ["hydra.job.name=stdout", f"{OURS}.output_capture_callback.separate=true"],
            (
                f"separate would write stdout.log, which is Hydra's log ({LOG}). "
                f"Write {OURS}.output_capture_callback.separate=false."
            ),
        ),
        (
            ["-m", "x=1,2", f"{OURS}.resource_monitor_callback.output_file=metrics.jsonl"],
            f"is what report_metrics writes. Write {OURS}.resource_monitor_callback.output_file=resources.csv.",
        ),
        (
            ["-m", "x=1,2", f"{OURS}.resource_monitor_callback.output_file=profile.txt"],
            f"is what {OURS}.resource_monitor_callback writes. Write another name there.",
        ),
        (
            [f"{OURS}.performance_callback.output_file=results.json"],
            (
                f"{OURS}.results_aggregator_callback.output_file would write results.json, which is what "
                f"{OURS}.performance_callback writes. Write {OURS}.results_aggregator_callback.output_file=results_2.json."
            ),
        ),
        (["-m", "x=1,2", f"{OURS}.performance_callback.output_file=multirun.yaml"], "which is what Hydra writes."),
        ([f"{OURS}.thread_safe_callback.output_file=output.log"], f"is what {OURS}.output_capture_callback writes"),
    ],
)
def test_nothing_starts_where_two_would_write_into_one_file(app: App, arguments: list[str], said: str) -> None:
    """It is said which key, and what to write instead; nothing is left on record."""
    app.write("print('RAN')", CONFIG)
    done = app.run(*arguments)
    assert (done.code, "RAN" in done.stdout) == (1, False)
    assert said in done.stderr
    assert not list(done.root.rglob("*.jsonl"))


def test_what_lies_elsewhere_is_no_other_s(app: App) -> None:
    """A file of the sweep with the name that those of its jobs have; and a log whose name nobody knows in advance."""
    app.write("print('RAN')", CONFIG)
    same = (f"{OURS}.performance_callback.output_file=app.log", f"{LOG}=${{hydra.runtime.output_dir}}/${{now:%f}}.log")
    done = app.run("-m", "x=1", same[0])
    assert done.code == 0, done.stderr
    assert "RAN" in done.log(0) or (done.root / "0" / "output.log").read_text().startswith("RAN")
    assert (done.root / "app.log").exists()
    assert app.run(same[1], "hydra.run.dir=other").code == 0
