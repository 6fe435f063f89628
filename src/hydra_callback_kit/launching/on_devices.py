"""Each job of a sweep has a device: claimed in the process that runs it, before that knows anything of the app."""

import copy
import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from hydra_callback_kit.devices.wanted import Wanted
from hydra_callback_kit.journal.safe_log import SafeLogger
from hydra_callback_kit.launching.claims_first import TaskAfterClaim, claims_first
from hydra_callback_kit.launching.policy import Batch, Policy

_log = SafeLogger("hydra_callback_kit.device_callback")

_BASIC: Final = "hydra._internal.core_plugins.basic_launcher."
_JOBLIB: Final = "hydra_plugins.hydra_joblib_launcher."
_ON_THIS_MACHINE: Final = (_BASIC, _JOBLIB, "hydra_plugins.hydra_submitit_launcher.submitit_launcher.LocalLauncher")
_GIVE_DEVICES: Final = (
    "hydra_plugins.hydra_submitit_launcher.submitit_launcher.SlurmLauncher",
    "hydra_plugins.hydra_ray_launcher.",
)
"""How the targets of launchers begin."""

_IDLE_S: Final = 5.0
"""After so long without a job joblib ends a worker, whose device another one may wait for; of itself after 300 s."""


def runs_jobs_here(config: DictConfig) -> bool:
    """Tells whether the jobs of a sweep run in the sweep's own process."""
    return _target(config).startswith(_BASIC)


def starts_jobs_on_this_machine(config: DictConfig) -> bool:
    """Tells whether the jobs of a sweep run on the machine that it was started on."""
    return _target(config).startswith(_ON_THIS_MACHINE)


def gives_devices(config: DictConfig) -> bool:
    """Tells whether the launcher of a sweep gives each job devices of its own."""
    return _target(config).startswith(_GIVE_DEVICES)


class OnDevices(Policy):
    """Has each process of a sweep's jobs claim a place.

    Args:
        wanted: what each is to get.
        here: whether the jobs run in this process.
        places: how many places there are; None where that is not known here.
        claim: claims one in this process, or ends the sweep.
    """

    place = 40

    def __init__(self, wanted: Wanted, *, here: bool, places: int | None, claim: Callable[[], object]) -> None:
        self._wanted = wanted
        self._here = here
        self._places = places
        self._claim = claim

    def context_of_jobs(self, context: HydraContext) -> HydraContext:
        """Claims as it is unpickled."""
        return context if self._here else claims_first(context, self._wanted)

    def task_of_jobs(self, task_function: TaskFunction) -> TaskFunction:
        """Claims as it is unpickled."""
        return task_function if self._here else TaskAfterClaim(task_function, self._wanted)

    def set_up(self, launcher: Launcher) -> None:
        """Has workers that have no job left end, for each keeps its device until then."""
        of_joblib: dict[str, Any] | None = getattr(launcher, "joblib", None)
        if of_joblib is not None:
            self._set_up_joblib(of_joblib)
        of_ray = getattr(launcher, "ray_cfg", None)
        if isinstance(of_ray, DictConfig) and OmegaConf.select(of_ray, "remote.max_calls") is None:
            own = copy.deepcopy(of_ray)  # the launcher has the node of the config, which is read-only from Hydra 1.4 on
            OmegaConf.set_readonly(own, False)
            OmegaConf.update(own, "remote.max_calls", 1, force_add=True)
            vars(launcher)["ray_cfg"] = own

    def _set_up_joblib(self, settings: dict[str, Any]) -> None:
        from joblib import Parallel, effective_n_jobs  # noqa: PLC0415  the launcher's own

        workers = effective_n_jobs(settings.get("n_jobs"))
        if workers == 1:
            self._here = True  # without a worker
            return
        if self._places is not None:
            # more would only wait; a single one would run the jobs in this process, which has begun already
            settings["n_jobs"] = min(workers, max(2, self._places * self._wanted.jobs_per_device))
            if settings["n_jobs"] < workers:
                _log.info("joblib starts %s workers, not %s: more would wait for a device.", settings["n_jobs"], workers)
        if any(each.kind is each.VAR_KEYWORD for each in inspect.signature(Parallel.__init__).parameters.values()):
            settings.setdefault("idle_worker_timeout", _IDLE_S)

    def answers(self, batch: Batch) -> Mapping[int, JobReturn]:
        """None; but if this process is going to run jobs, it needs a place from here on."""
        if self._here and batch:
            self._claim()
        return {}


def _target(config: DictConfig) -> str:
    return str((config.hydra.get("launcher") or {}).get("_target_"))
