"""Hooks called as Hydra calls them, on small configs, without starting an app."""

import pickle
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn, JobStatus
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf


def config_of(root: Path, app: dict[str, Any] | None = None, mode: str = "RUN", **job: Any) -> DictConfig:
    """The config of a run, or of a job of it; `job` gives `num` and `id`, which a single run has not."""
    return OmegaConf.create(
        {
            **(app or {}),
            "hydra": {
                "mode": mode,
                "callbacks": {},
                "job": {"name": "app", "config_name": "config", "num": "???", "id": "???", **job},
                "overrides": {"task": [], "hydra": []},
                "run": {"dir": str(root)},
                "runtime": {"choices": {}, "cwd": str(root), "output_dir": str(root)},
                "sweep": {"dir": str(root)},
                "sweeper": {"params": None},
            },
        }
    )


def job_of(run: DictConfig, app: dict[str, Any] | None = None, **job: Any) -> DictConfig:
    """The config of a job of a sweep; what travels with the sweep's config comes along, as Hydra sees to it."""
    config = config_of(Path(run.hydra.sweep.dir), {**_app(run), **(app or {})}, "MULTIRUN", **job)
    OmegaConf.copy_cache(from_config=run, to_config=config)
    return config


def returned(value: Any = 1) -> JobReturn:
    """What Hydra hands to the end of a job: an exception has failed."""
    job_return = JobReturn()
    job_return.status = JobStatus.FAILED if isinstance(value, BaseException) else JobStatus.COMPLETED
    job_return._return_value = value
    return job_return


def call_job(callback: Callback, config: DictConfig, value: Any = 1) -> None:
    """Both hooks of a job that returns at once."""
    callback.on_job_start(config=config, task_function=len)
    callback.on_job_end(config=config, job_return=returned(value))


def call_run(callback: Callback, config: DictConfig, value: Any = 1) -> None:
    """All hooks of a single run."""
    callback.on_run_start(config=config, config_name="config")
    call_job(callback, config, value)
    callback.on_run_end(config=config, config_name="config", job_return=returned(value))


def pickled(value: Any) -> Any:
    """What a worker gets."""
    return pickle.loads(pickle.dumps(value))


class Listener(Callback):
    """Notes the hooks it hears, with its name, in a list that it shares with others; may raise in all of them."""

    def __init__(self, heard: list[str], name: str = "it", raises: BaseException | None = None) -> None:
        self.heard = heard
        self.name = name
        self.raises = raises

    def __getattribute__(self, attribute: str) -> Any:
        """Stands in for all hooks."""
        if not attribute.startswith("on_"):
            return super().__getattribute__(attribute)

        def hook(config: DictConfig, **kwargs: Any) -> None:
            self.heard.append(f"{self.name}.{attribute}")
            if self.raises is not None:
                raise self.raises

        return hook


def _app(config: DictConfig) -> dict[str, Any]:
    return {key: value for key, value in OmegaConf.to_container(config).items() if key != "hydra"}
