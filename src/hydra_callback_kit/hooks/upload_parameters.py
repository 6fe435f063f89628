"""Checks of where `upload_callback` sends to."""

import re
from collections.abc import Mapping
from typing import Any, Final

from omegaconf import OmegaConf

from hydra_callback_kit.hooks.parameters import NotInstalledError, ParameterError
from hydra_callback_kit.hooks.tracker_parameters import filled
from hydra_callback_kit.remote.store import UnknownSchemeError, missing_library

_ONE_SLASH: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/(?!/)")
"""What would be a folder called `s3:`, and is not meant as one. A single letter is a drive of Windows."""


def destination(to: Any, shown: str) -> str:
    """Returns where files are sent to.

    Args:
        to: a URL or a folder.
        shown: the same without credentials.

    Raises:
        NotInstalledError: if fsspec is not installed.
        ParameterError: if there is no such place, or another library is missing.
    """
    example = "Write for example to='s3://bucket/${hydra.job.name}', or to=/mnt/share/runs."
    allowed = "a URL such as s3://bucket/path, or a folder"
    given = None if to is None else filled("to", to, allowed, "s3://bucket/runs")
    if given is None or "::" in given or given.rstrip("/").endswith(":"):
        raise ParameterError("to", None if given is None else shown, allowed, example)
    one_slash = _ONE_SLASH.match(given)
    if one_slash is not None:
        advice = f"With two slashes it is one: {one_slash[1]}://... For a folder of this name write ./{one_slash[1]}:/..."
        raise ParameterError("to", shown, allowed, advice)
    try:
        missing = missing_library(given)
    except UnknownSchemeError as error:
        advice = f"Write {error.nearest}://..." if error.nearest else example
        raise ParameterError("to", shown, f"{allowed}; nothing knows {error.scheme}://", advice) from None
    if missing == "fsspec":
        raise NotInstalledError(["fsspec"], "upload")
    if missing is not None:
        not_there = ParameterError("to", shown, f"what does without {missing}", "")
        not_there.args = (f"to={shown!r} needs {missing}, which is not installed. Type: pip install {missing}",)
        raise not_there
    return given


def options(given: Any) -> dict[str, Any]:
    """Returns what a file system is made with. No value of it is in an error.

    Raises:
        ParameterError: if it is no mapping.
    """
    plain = OmegaConf.to_container(given) if OmegaConf.is_config(given) else given
    if not isinstance(plain, Mapping):
        advice = "Write for example storage_options={endpoint_url: 'http://127.0.0.1:9000'}."
        raise ParameterError("storage_options", f"a {type(plain).__name__}", "a mapping", advice)
    return {str(name): option for name, option in plain.items()}
