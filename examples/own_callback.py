"""A callback of one's own, right under every launcher and after a failed job; beside it the same written by hand.

    python examples/own_callback.py -m lr=0.1,0.2,0.9,0.3 hydra/launcher=joblib

Hydra gives each job of a parallel launcher a copy of the callback, and on Hydra 1.3 calls `on_multirun_end` only where no
job failed. So `BestByHand` prints nothing here, or that there is no best job; `BestLoss` prints the best one.
"""

import hydra
from hydra.core.config_store import ConfigStore
from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from hydra_callback_kit import RecordingCallback, add_job_facts, load_run


class BestLoss(RecordingCallback):
    """Prints the job with the smallest loss when the sweep has ended."""

    def __init__(self, metric: str = "loss") -> None:
        self.metric = metric

    def on_job_end(self, config, job_return, **kwargs):
        """Notes in the job's record how many parameters it was given."""
        add_job_facts({"overrides_given": len(config.hydra.overrides.task)}, config)

    def at_the_end(self, config):
        """Looks at all jobs, whichever processes they ran in."""
        best = load_run(config).best(self.metric, mode="min")
        print(f"best: job {best.job_num} with {self.metric}={best.return_value[self.metric]} ({best.task_overrides[0]})")


class BestByHand(Callback):
    """The same as most people write it first."""

    def __init__(self) -> None:
        self.best = None

    def on_job_end(self, config, job_return, **kwargs):
        """Keeps the best loss on the callback, which under joblib is a copy; the value of a failed job raises."""
        loss = job_return.return_value["loss"]
        if self.best is None or loss < self.best:
            self.best = loss

    def on_multirun_end(self, config, **kwargs):
        """Not called on Hydra 1.3 where a job failed."""
        print(f"best by hand: loss={self.best}")


# options of one's own, chosen like those of the package: callbacks: [best_loss]
for name, callback in (("best_loss", BestLoss), ("best_by_hand", BestByHand)):
    ConfigStore.instance().store(
        group="callbacks",
        name=name,
        node={"_target_": f"{callback.__module__}.{callback.__name__}"},
        package=f"_global_.hydra.callbacks.{name}",
    )
ConfigStore.instance().store(
    name="own_callback", node={"defaults": [{"callbacks": ["best_loss", "best_by_hand"]}, "_self_"], "lr": 0.1}
)


def train(cfg: DictConfig) -> dict[str, float]:
    """Stands for a training; a large learning rate fails."""
    if cfg.lr > 0.5:
        raise FloatingPointError("loss is not finite")
    return {"loss": round((cfg.lr - 0.2) ** 2, 4)}


if __name__ == "__main__":
    hydra.main(version_base=None, config_path=None, config_name="own_callback")(train)()
