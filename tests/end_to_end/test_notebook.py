"""A sweep that was run, as a notebook shows it."""

import json
import shutil

import pytest
from apps import App

from hydra_callback_kit import MetricNotFoundError, load_run


def test_a_sweep_in_a_notebook(app: App) -> None:
    """Its table, its curves, and its timeline, from the record alone."""
    app.write(
        """
        for step in range(5):
            hydra_callback_kit.report_metrics({"val/loss": cfg.lr * step, "other": 1.0}, step=step)
        return {"acc": cfg.lr + cfg.seed}
        """,
        """
        defaults: [{callbacks: [results_aggregator_callback]}, _self_]
        lr: 0
        seed: 0
        hydra: {callbacks: {results_aggregator_callback: {average_over: [seed], sort_by: acc}}}
        """,
        "import hydra_callback_kit",
    )
    assert app.sweep("basic", "lr=1,2", "seed=1,2").code == 0
    run = load_run(app.directory / "out")
    assert "<td" in run._repr_html_()
    assert run.plot().data[1].y[0] == "lr=2"
    curves = run.plot("curves", metric="val/loss")
    assert {line.name: list(line.y)[-1] for line in curves.data} == {"job 0": 4, "job 1": 4, "job 2": 8, "job 3": 8}
    assert curves.layout.yaxis.title.text == "val/loss"
    assert list(curves.data[0].x) == [0, 1, 2, 3, 4]
    assert len(json.loads(run.plot("timeline").to_json())["data"][0]["x"]) == 4
    with pytest.raises(MetricNotFoundError, match="Did you mean val/loss"):
        run.plot("curves", metric="val/los")
    for num in range(4):
        shutil.rmtree(run.root / str(num))
    with pytest.raises(ValueError, match="cannot be read from here"):
        load_run(run.root).plot("curves")
