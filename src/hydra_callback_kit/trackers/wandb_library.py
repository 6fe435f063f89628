"""W&B as a library: what it is set to, whether it can be reached, and what it says and sends of itself."""

import os
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Final, NamedTuple

ONLINE: Final = ("online", "shared")
"""The modes in which a server is asked."""
OLD_MODES: Final = {"dryrun": "offline", "run": "online"}
"""What W&B called them before, and takes still."""
MODES: Final = (*ONLINE, "offline", "disabled", *OLD_MODES)


class Chosen(NamedTuple):
    """What W&B's own settings say, where the user has not said it to us.

    Attributes:
        mode: `online`, `offline`, `disabled` or `shared`.
        address: where the server is.
        project: the project; None if they do not say.
        entity: the user or team; None if they do not say.
    """

    mode: str
    address: str
    project: str | None
    entity: str | None


def load() -> None:
    """Imports W&B: a second or two in which no tracker is waited for.

    It reports its own errors to the server unless it is told not to, and a process whose server hangs would wait for that
    ten seconds more at its end.
    """
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
    import wandb  # noqa: F401, PLC0415  it takes seconds


def chosen(mode: str | None = None, project: str | None = None, entity: str | None = None) -> Chosen:
    """What counts: what is given, and else what the environment and the files of W&B say.

    Args:
        mode: as the user gave it to us.
        project: the same.
        entity: the same.
    """
    import wandb  # noqa: PLC0415  it takes seconds

    settings = wandb.setup().settings
    named = mode or settings.mode
    return Chosen(OLD_MODES.get(named, named), settings.base_url, project or settings.project, entity or settings.entity)


def reach(address: str, timeout_s: float) -> bool:
    """A server that is down, and a key that is missing, are known at once: W&B tries for minutes, or asks on the terminal.

    Args:
        address: where the server is.
        timeout_s: how long it is waited for, in seconds.

    Returns:
        True.

    Raises:
        ConnectionError: if nobody answers there.
        PermissionError: if there is no API key.
    """
    import wandb  # noqa: PLC0415  it takes seconds

    try:
        urllib.request.urlopen(address, timeout=timeout_s).close()  # noqa: S310  what W&B itself asks
    except urllib.error.HTTPError:
        pass  # somebody is there
    except OSError as error:
        if not isinstance(getattr(error, "reason", error), ssl.SSLError):  # W&B has settings for that
            raise ConnectionError(f"nobody answers at {address}") from error
    if not wandb.login(prompt=False):
        raise PermissionError("there is no API key. Type: wandb login")
    return True


def directory(root: Path) -> Path:
    """Where W&B makes its directory `wandb`: in the run's, unless `WANDB_DIR` says another one."""
    return Path(os.environ.get("WANDB_DIR") or root)


def settings(timeout_s: float) -> Any:
    """What is different from W&B's defaults, unless its variables in the environment say something.

    The command line and the console may show secrets, and a process may have several jobs: neither is sent. What W&B prints,
    ten lines for each run, is not printed. What is kept offline is written each second instead of each quarter of a minute.

    Args:
        timeout_s: how long it is waited for at the start of a run and at its end, in seconds.
    """
    import wandb  # noqa: PLC0415  it takes seconds

    ours = {
        "console": "off",
        "finish_timeout": timeout_s + 1,  # whoever waits for us has lost patience before
        "init_timeout": timeout_s,
        "silent": True,
        "x_disable_meta": True,
        "x_transaction_log_flush_interval": 1.0,  # seconds: a job that is killed keeps the rest
    }
    return wandb.Settings(**{name: value for name, value in ours.items() if f"WANDB_{name.upper()}" not in os.environ})
