"""What a job costs that MLflow is told of: time in the hooks, with a database of SQLite."""

import json
from pathlib import Path

from contenders import PROJECT
from harness import HOOK_TIMER, Line, environment, hook_ms_per_job, run, table, temporary_directory, write_app

JOBS = 30


def lines(jobs: int = JOBS, repetitions: int = 3) -> list[Line]:
    """Measures; MLflow's environment takes a minute, and so does its database.

    Args:
        jobs: how many jobs the sweeps have.
        repetitions: how many sweeps are run.
    """
    with temporary_directory() as name:
        directory = Path(name)
        python = environment(directory / "environment", f"{PROJECT}[mlflow]", "attrs")
        write_app(directory, keys=50, preamble=HOOK_TIMER)
        settings = json.dumps({"tracking_uri": f"sqlite:///{directory}/mlflow.db", "experiment": "benchmark"})
        config = (directory / "config.yaml").read_text("utf-8")
        defaults = "defaults:\n  - callbacks: [mlflow_callback]\n  - _self_\n"
        hydra = f"hydra: {{callbacks: {{mlflow_callback: {settings}}}}}\n"
        (directory / "config.yaml").write_text(f"{defaults}{config}{hydra}", "utf-8")
        command = [python, "app.py"]
        run(command, directory)  # makes the database
        samples = [_ms_per_job(command, directory, jobs) for _ in range(repetitions)]
    return [Line.of(f"in the hooks per job, {jobs} jobs, 50 keys: mlflow_callback with SQLite", samples, 50, "ms")]


def _ms_per_job(command: list[str], directory: Path, jobs: int) -> float:
    """Milliseconds that each further job of a sweep takes: its set-up and MLflow's import are the sweep's."""
    all_of_them = hook_ms_per_job(command, directory, jobs) * jobs
    return (all_of_them - hook_ms_per_job(command, directory, 1)) / (jobs - 1)


if __name__ == "__main__":
    print(table(lines()))
