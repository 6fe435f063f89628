"""What an app runs in: its program, the interpreter, the machine, and the environment variables that were asked for."""

import fnmatch
import os
import platform
import socket
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import hydra
import omegaconf

from hydra_callback_kit.configs.redaction import Redaction
from hydra_callback_kit.journal.process import user_name
from hydra_callback_kit.provenance.packages import installed_packages


def surroundings() -> dict[str, Any]:
    """Describes the interpreter and the machine of the calling process."""
    return {
        "python_version": platform.python_version(),
        "python_implementation": platform.python_implementation(),
        "python_executable": sys.executable,
        # `platform.platform()` starts a process to know the same
        "platform": f"{platform.system()} {platform.release()} {platform.machine()}",
        "host": socket.gethostname(),
        "user": user_name(),
        "cpu_count": os.cpu_count(),
        "hydra_version": hydra.__version__,
        "omegaconf_version": omegaconf.__version__,
        "packages": installed_packages(),
    }


def environment_variables(patterns: Iterable[str], redaction: Redaction) -> dict[str, str | None]:
    """Reads the environment variables that were asked for.

    Args:
        patterns: names; `*` stands for any characters.
        redaction: says which names are secret.

    Returns:
        The values by name, redacted for secret names; a name without `*` that is not set has None.
    """
    found: dict[str, str | None] = {}
    for pattern in patterns:
        names = sorted(fnmatch.filter(os.environ, pattern)) if "*" in pattern else [pattern]
        found |= {name: os.environ.get(name) for name in names}
    return {
        name: None
        if value is None
        else redaction.mark(value)
        if redaction.keys.is_secret(name)
        else redaction.of_text(value)
        for name, value in found.items()
    }


def source_directory(started_in: str) -> str:
    """Tells where the app's source lies, as far as git is concerned.

    Args:
        started_in: the directory that the app was started in.

    Returns:
        The directory of the script or module that was started; for a program that was installed (a command without `.py`,
        or a module in `site-packages`) the directory that it was started in.
    """
    program = getattr(sys.modules.get("__main__"), "__file__", None) or ""
    file = Path(os.path.realpath(os.path.join(started_in, program)))  # noqa: PTH118  `.` for none
    installed = not {"site-packages", "dist-packages"}.isdisjoint(file.parts)
    return started_in if installed or file.suffix != ".py" else str(file.parent)
