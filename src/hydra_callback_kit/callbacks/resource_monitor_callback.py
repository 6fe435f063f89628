"""`resource_monitor_callback`: what each job uses while it runs: CPU, memory, I/O and GPUs, as a time series."""

import functools
import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from hydra.core.utils import JobReturn
from hydra.types import TaskFunction
from omegaconf import DictConfig

from hydra_callback_kit.configs.identity import identify_job
from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.hooks import parameters
from hydra_callback_kit.hooks.error_report import report
from hydra_callback_kit.hooks.facts import add_job_facts
from hydra_callback_kit.hooks.job_file_name import job_file_name
from hydra_callback_kit.hooks.own_files import make_room, record_job_files
from hydra_callback_kit.hooks.parameters import NotInstalledError, ParameterError, one_of
from hydra_callback_kit.hooks.recording import RecordingCallback
from hydra_callback_kit.hooks.same_files import OwnFile
from hydra_callback_kit.journal.at_exit import at_exit
from hydra_callback_kit.journal.safe_log import SafeLogger
from hydra_callback_kit.measure.gpus import Gpus, NoGpuError, load_nvml
from hydra_callback_kit.measure.resource_sampler import ResourceSampler, end_threads
from hydra_callback_kit.measure.sample_file import SampleFile

log = SafeLogger("hydra_callback_kit.resource_monitor_callback")

INSTALL: Final = "pip install 'hydra-callback-kit[resources]'"
LONGEST_INTERVAL_S: Final = 86_400.0
PATIENCE_S: Final = 5.0
"""How long the end of the process waits for the threads: one may be importing, on a machine that has much else to do."""
_BOOLEANS: Final = {"true": "on", "false": "off"}
"""YAML takes a bare `on` for true."""


class ResourceMonitorCallback(RecordingCallback):
    """Samples what each job uses while it runs, into a file beside its other output, and records means and peaks.

    A thread in the job's process measures that process and, with `include_children`, all that it and its children have
    started. It begins 20 ms after the job's start, takes the next sample after as long again until samples are `interval_s`
    apart, and a last one as the job ends; a job of a millisecond has one sample. Where a sample takes long (thousands of
    processes), samples become so few that they take no more than a twentieth of the time. The CPU time of the sampling is
    not counted.

    CPU is in percent of one core (200 is two cores), since the sample before, or over 0.1 s where samples are denser. It
    includes children that ended in between, but on Windows. Memory is resident memory (RSS), summed over the processes:
    pages that they share, as forked workers do, count once for each. I/O is what was read from storage and written to it
    since the job's start, not what the page cache served; Linux counts that of ended children with their parent's, macOS
    does not tell. Where one process runs several jobs one after another (the basic launcher, joblib), CPU and I/O start at
    0 for each; memory and threads are those of the process. Children that were there before the job (a pool of workers)
    count, too. A figure that a process does not give away, or the platform does not tell, is left empty.

    The figures of a GPU are those of the job's own processes: the share of time in which their kernels ran, and the memory
    they hold. `gpu0` is the first GPU that the job sees (`CUDA_VISIBLE_DEVICES`, in PCI order). What a driver does not tell
    by process (MIG, some containers, Windows) is left empty, and a warning says so once.

    In a distributed job (torchrun, Lightning, srun) each rank is measured, and the job's figures are the sums.

    From Python 3.12 on, `os.fork` in a process that has threads raises a DeprecationWarning, which Python shows if the app's
    main file calls it.

    Args:
        interval_s: seconds between two samples, above 0.
        include_children: whether the job's child processes count.
        gpu: `auto`: GPUs are measured if there is an NVIDIA driver, and nothing is said if there is none; `on`: a warning
            says so if there is no driver or no visible GPU, once a job has lasted long enough to ask; `off`: GPUs are not
            looked at.
        output_file: the samples' file, relative to the job's output directory, or absolute; null for none. Where the jobs
            of a sweep would replace each other's (an absolute path, or a `hydra.sweep.subdir` that is the same for all of
            them), the name gets the job's number: `resources_3.csv`. That of a rank gets its number: `resources_rank1.csv`.

    Raises:
        ParameterError: if psutil is not installed (the extra `resources` has it), or with `gpu=on` nvidia-ml-py; if
            `interval_s` is no number above 0, `gpu` is another word, or no file can be written at `output_file`.

    Files:
        `resources.csv` (CSV) in each job's output directory: `time` (UTC), `elapsed_s` (since the job's start),
        `cpu_percent`, `memory_bytes`, `read_bytes`, `written_bytes`, `threads`, `processes`, and for each GPU
        `gpu<i>_percent` and `gpu<i>_memory_bytes`. Rows are appended as they are sampled; another attempt at the job
        replaces the file. What lay there and is no file of ours, was edited since, or is of an attempt that was killed, is
        kept as `resources.csv.bak`, with a warning. Once the job itself writes to the file, it is left to it.
        `.callbacks/*.jsonl` in the run's output directory or in the sweep directory: the journal (JSON lines), where each
        job has the fact `resources`: `samples`, `mean_cpu_percent`, `peak_cpu_percent`, `mean_memory_bytes`,
        `peak_memory_bytes`, `read_bytes`, `written_bytes`, `peak_threads`, `peak_processes`, with GPUs `mean_gpu_percent`,
        `peak_gpu_percent`, `peak_gpu_memory_bytes` (all GPUs together), and `file`. Means are over time. What could not be
        measured is not there.

    Example:
        ```yaml
        defaults:
          - callbacks: [resource_monitor_callback]
          - _self_

        hydra:
          callbacks:
            resource_monitor_callback:
              interval_s: 5.0
              gpu: "off"
        ```
    """

    on_every_rank = True

    def __init__(
        self,
        interval_s: float = 1.0,
        include_children: bool = True,
        gpu: str = "auto",
        output_file: str | None = "resources.csv",
    ) -> None:
        if importlib.util.find_spec("psutil") is None:
            raise NotInstalledError(["psutil"], "resources")
        if not 0 < interval_s <= LONGEST_INTERVAL_S:
            allowed = f"a number of seconds above 0, at most {LONGEST_INTERVAL_S:.0f}"
            raise ParameterError("interval_s", interval_s, allowed, "Write for example interval_s=1.")
        self.interval_s = float(interval_s)
        self.include_children = include_children
        given = str(gpu).lower()
        self.gpu = one_of("gpu", _BOOLEANS.get(given, given), ("auto", "on", "off"))
        if self.gpu == "on" and importlib.util.find_spec("pynvml") is None:
            raise NotInstalledError(["nvidia-ml-py"], "resources", "gpu", gpu)
        self.output_file = None if output_file is None else parameters.output_file("output_file", output_file)

    def files_it_writes(self) -> Sequence[OwnFile]:
        """The samples of each job."""
        return (
            [] if self.output_file is None else [OwnFile(self.output_file, "output_file", "resources.csv", of_each_job=True)]
        )

    def on_job_start(self, config: DictConfig, *, task_function: TaskFunction, **kwargs: Any) -> None:
        """Starts the sampling."""
        _stop_those_without_an_end(id(self))
        job = identify_job(config)
        name = None if self.output_file is None else job_file_name(config, self.output_file)
        file = None if name is None else SampleFile(job.output_dir, name, functools.partial(make_room, job.run, log))
        open_gpus = functools.partial(visible_gpus, self.gpu)
        sampler = ResourceSampler(self.interval_s, self.include_children, file, open_gpus, _report)
        token = notes_of(config).setdefault("sampled", os.urandom(6).hex())
        _running[token, id(self)] = config, name, sampler

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:
        """Ends the sampling, and records the means and peaks."""
        _finish((notes_of(config).get("sampled", ""), id(self)))


def visible_gpus(gpu: str) -> Gpus | None:
    """Opens the GPUs that the calling process sees; never raises.

    Args:
        gpu: `auto`, `on` or `off`.

    Returns:
        None if they are not to be measured or cannot be; `on` warns then, and `auto` if there is a driver all the same.
    """
    if gpu == "off":
        return None
    try:
        gpus = Gpus(load_nvml(), os.environ.get("CUDA_VISIBLE_DEVICES"), _warn_once)
    except NoGpuError as error:
        if gpu == "on":
            _warn_once(f"gpu=on, but {error}: no GPU is measured.")
    except ImportError:
        _warn_once(f"There is an NVIDIA driver, but nvidia-ml-py is not installed: no GPU is measured. Type: {INSTALL}")
    except Exception as error:  # noqa: BLE001  the driver's errors are NVML's, and the processes are measured all the same
        _warn_once(f"The NVIDIA driver cannot be asked, no GPU is measured: {error}.")
    else:
        if len(gpus):
            return gpus
        gpus.close()
        if gpu == "on":
            _warn_once("gpu=on, but no GPU is visible: no GPU is measured.")
    return None


_running: dict[tuple[str, int], tuple[DictConfig, str | None, ResourceSampler]] = {}


def _finish(key: tuple[str, int]) -> None:
    if key not in _running or _running[key][2].pid != os.getpid():
        return  # a forked child calls the end hooks as well on Hydra 1.4
    config, output_file, sampler = _running.pop(key)
    facts = sampler.stop()
    if output_file is not None and sampler.has_rows:
        resources = {"resources": {**facts, "file": output_file}}
        record_job_files(config, resources, {Path(output_file).name: sampler.fingerprint})
    else:
        add_job_facts({"resources": {**facts, "file": None}}, config)


def _stop_those_without_an_end(callback: int) -> None:
    """Drops what was sampled for jobs whose end it was not told: `conditional_callback` forwards some ends only."""
    for key, (config, _, sampler) in list(_running.items()):
        if key[1] == callback and sampler.pid == os.getpid() and "job_ended" in notes_of(config):
            del _running[key]
            sampler.stop()


@at_exit
def _finish_what_still_runs() -> None:
    """On Hydra 1.3 no end hook comes after `sys.exit`."""
    for key in list(_running):
        try:
            _stop_those_without_an_end(key[1])
            _finish(key)
        except Exception as error:  # noqa: BLE001  the others are still to be stopped
            _report(error)
    end_threads(PATIENCE_S)


def _report(error: Exception) -> None:
    report("ResourceMonitorCallback", error)


@functools.cache
def _warn_once(message: str) -> None:
    log.warning("%s", message)
