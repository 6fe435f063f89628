"""The log files of a job: those that its process writes, and what the config says of those that other processes write."""

import glob
import itertools
import logging
import re
from pathlib import PurePath
from typing import Any

from omegaconf import DictConfig, OmegaConf


def open_log_files() -> list[str]:
    """The names, without their directories, of the files that this process's logging writes; those in `*.log` left out."""
    loggers = [logging.getLogger(), *logging.Logger.manager.loggerDict.values()]
    handlers = list(itertools.chain.from_iterable(getattr(each, "handlers", ()) for each in loggers))
    handlers += [each.target for each in handlers if hasattr(each, "target")]  # one that hands on
    names = {PurePath(str(each.baseFilename)).name for each in handlers if hasattr(each, "baseFilename")}
    return sorted(name for name in names if not name.endswith(".log"))


def log_files_of(config: DictConfig) -> list[str]:
    """Globs for the names of the files that Hydra's logging writes, whatever stands there for an interpolation.

    What a job itself writes is on record; this is for what its ranks write.

    Args:
        config: the config of any hook.
    """
    node = config.hydra.get("job_logging")
    written: Any = OmegaConf.to_container(node, resolve=False) if OmegaConf.is_dict(node) else {}
    handlers = written.get("handlers")
    globs = []
    for handler in handlers.values() if isinstance(handlers, dict) else ():
        file = handler.get("filename") if isinstance(handler, dict) else None
        if isinstance(file, str):
            before = ""
            while file != before:  # one within another
                before, file = file, re.sub(r"\$\{[^{}]*\}", "\0", file)
            name = "*".join(map(glob.escape, file.rpartition("/")[2].split("\0")))
            globs += [] if set(name) <= {"*"} else [name, f"{name}.*"]
    return globs
