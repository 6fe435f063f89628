"""`device_callback`: each job that runs has a device to itself."""

import importlib.util
from typing import Any, Final

from hydra.types import TaskFunction
from omegaconf import DictConfig

from hydra_callback_kit.configs.identity import identify_run
from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.devices.claim import THREADS_VARIABLE, claim, places_here, said_before, step_aside
from hydra_callback_kit.devices.place import Place
from hydra_callback_kit.devices.wanted import CUDA_VARIABLE, DeviceError, Wanted
from hydra_callback_kit.hooks import device_parameters
from hydra_callback_kit.hooks.abort import abort
from hydra_callback_kit.hooks.facts import add_job_facts
from hydra_callback_kit.hooks.parameters import NotInstalledError, ParameterError
from hydra_callback_kit.hooks.recording import RecordingCallback
from hydra_callback_kit.journal.rank import is_worker
from hydra_callback_kit.journal.safe_log import SafeLogger
from hydra_callback_kit.measure.gpus import NoGpuError, load_nvml

log = SafeLogger("hydra_callback_kit.device_callback")

_CLAIMS: Final = "devices_wanted"
"""The note of what a callback wants, for another one of the same run."""
_SAYS: Final = "devices_visible"
"""The note of what the variable says in the sweep's process, for its jobs on the same machine."""


class DeviceCallback(RecordingCallback):
    """Gives each job that runs a device to itself: a GPU, several, or some CPU cores.

    A process that runs jobs claims a device and sees only that one (`CUDA_VISIBLE_DEVICES`). It keeps the device until it
    ends, for a process that has started CUDA cannot change; its further jobs run there, too. Claims are the machine's: other
    sweeps and other users that use this callback take other devices. Where none is free, it waits, and the log says for
    what. A claim ends with its process, however that ends.

    Where jobs have processes of their own, the claim is made before the app's modules are imported there. In a single run,
    under the basic launcher, and with `hydra.launcher.n_jobs=1` of joblib, it is made in the app's process before the first
    job. If CUDA has been started there already, and sees more than the device, the run is stopped.

    What the variable says already is respected: of `devices` those are used that it names. Processes that a job starts work
    on the job's device. The ranks of a job on one machine share what the first of them claims.

    joblib gets no more workers than there is room for (at least 2), and a worker that has no job for 5 s ends. Ray gets
    `max_calls=1`, a process for each job, unless `hydra.launcher.ray.remote` says otherwise.

    Args:
        devices: the devices that jobs may have. `auto`: each NVIDIA GPU that is visible, or each slice of those that are
            sliced (MIG); under submitit_slurm and Ray, which give a job GPUs of its own, all of those. A list: each job gets
            one of its items, a number or a name, or several joined by commas (`["0,1","2,3"]`). null: only `cores`.
        variable: the environment variable that says which devices a process sees. `auto` needs `CUDA_VISIBLE_DEVICES`.
        cores: sets of CPU cores, of which each job gets one: it runs on no others, and `OMP_NUM_THREADS` is their number.
            With `devices` the first set goes with the first device, and so on. null: all cores. Linux only.
        jobs_per_device: how many jobs may share one, 1 to 1000.

    Raises:
        ParameterError: if `devices` is empty, no list, or names a device twice; `variable` is no name; `cores` is empty,
            names a core twice, or is not of as many sets as `devices`; `jobs_per_device` is below 1; there is neither a
            device nor a core to give; with `auto`, if there is an NVIDIA driver and nvidia-ml-py is not installed (the extra
            `resources` has it).
        AbortRun: from a start hook, if no device can be had, however long one waits.

    Files:
        `/tmp/hydra-callback-kit-device-claims`, an empty file with the locks of all users of the machine; the environment
        variable `HYDRA_CALLBACK_KIT_DEVICE_CLAIMS` names another one. Of a job with ranks that torchrun, `srun` or `mpirun`
        has started, a note beside it until the job ends.
        `.callbacks/*.jsonl` in the run's output directory or in the sweep directory: the journal (JSON lines), where each
        job has the facts `device` and `cores`.

    Example:
        ```yaml
        defaults:
          - callbacks: [device_callback]
          - _self_

        hydra:
          callbacks:
            device_callback:
              devices: [0, 1]
        ```
    """

    fails_closed = True
    on_every_rank = True

    def __init__(
        self,
        devices: Any = "auto",
        variable: str = CUDA_VARIABLE,
        cores: Any = None,
        jobs_per_device: int = 1,
    ) -> None:
        self.devices = device_parameters.devices(devices)
        self.variable = device_parameters.variable(variable)
        self.cores = device_parameters.cores(cores)
        self.jobs_per_device = device_parameters.jobs_per_device(jobs_per_device)
        if self.devices is None and self.cores is None:
            raise ParameterError("devices", None, "null only with cores", 'Write devices=auto, or cores=["0-3","4-7"].')
        if self.devices == "auto":
            _check_auto(self.variable)
        elif self.devices and self.cores and len(self.devices) != len(self.cores):
            raise ParameterError(
                "cores",
                list(cores),
                f"one set for each of the {len(self.devices)} devices",
                "Write as many of one as of the other.",
            )

    def before_the_run(self, config: DictConfig) -> None:
        """Claims a device for a single run; of a sweep, looks whether there are any for its jobs."""
        self._refuse_what_contradicts(config)
        if identify_run(config).mode == "RUN":
            self._claim(config)
            return
        from hydra_callback_kit.launching import on_devices  # noqa: PLC0415  a single run has no launcher

        if on_devices.runs_jobs_here(config):
            self._places(config)
        else:
            step_aside()
            if on_devices.starts_jobs_on_this_machine(config):
                self._places(config)

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Has each process that runs jobs of the sweep claim a device."""
        if is_worker():
            return  # a rank that its job has started is where its job is
        from hydra_callback_kit.launching import on_devices  # noqa: PLC0415  as above
        from hydra_callback_kit.launching.in_place import put_in_place  # noqa: PLC0415  as above

        places = None
        if on_devices.starts_jobs_on_this_machine(config):
            notes_of(config)[_SAYS] = (said_before(self.variable),)
            places = len(self._places(config))
        here = on_devices.runs_jobs_here(config)
        wanted = self._wanted(config)
        put_in_place(config, on_devices.OnDevices(wanted, here=here, places=places, claim=lambda: self._claim(config)))

    def on_job_start(self, config: DictConfig, *, task_function: TaskFunction, **kwargs: Any) -> None:
        """Claims a device if the process has none yet, and records which one the job runs on."""
        add_job_facts(self._claim(config).facts(), config)

    def _refuse_what_contradicts(self, config: DictConfig) -> None:
        mine = tuple(self._wanted(config))  # plain, for it travels with the jobs
        if notes_of(config).setdefault(_CLAIMS, mine) != mine:
            abort(
                config,
                "Two callbacks claim devices, and a process has one place: drop one of them. devices and cores of one "
                "device_callback go together.",
                log=log,
            )
        names = [self.variable] if self.devices is not None else []
        names += [THREADS_VARIABLE] if self.cores is not None else []
        for name in names:
            if name in (config.hydra.job.get("env_set") or {}):
                abort(
                    config,
                    f"hydra.job.env_set sets {name}, and so does device_callback: it would claim one device, and the job "
                    "use another. Drop one of them.",
                    log=log,
                )

    def _claim(self, config: DictConfig) -> Place:
        try:
            return claim(self._wanted(config))
        except DeviceError as error:
            abort(config, str(error), log=log)

    def _places(self, config: DictConfig) -> list[Place]:
        try:
            return places_here(self._wanted(config))
        except DeviceError as error:
            abort(config, str(error), log=log)

    def _wanted(self, config: DictConfig) -> Wanted:
        whole = False
        if self.devices == "auto" and identify_run(config).mode == "MULTIRUN":
            from hydra_callback_kit.launching import on_devices  # noqa: PLC0415  as above

            whole = on_devices.gives_devices(config)
        says = notes_of(config).get(_SAYS)
        return Wanted(self.devices, self.variable, self.cores, self.jobs_per_device, whole, says)


def _check_auto(variable: str) -> None:
    if variable != CUDA_VARIABLE:
        raise ParameterError(
            "devices",
            "auto",
            f"a list with variable={variable}: only NVIDIA GPUs are found by themselves",
            "Write devices=[0,1].",
        )
    if importlib.util.find_spec("pynvml") is None:
        try:
            load_nvml()
        except NoGpuError:  # its jobs may run on other machines
            pass
        except ImportError as error:
            raise NotInstalledError(["nvidia-ml-py"], "resources", "devices", "auto") from error
