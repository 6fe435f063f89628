"""A run that is named by a URL: a copy of what can be read of it."""

from pathlib import Path

import click

from hydra_callback_kit.cli.below import NothingToShowError
from hydra_callback_kit.journal.errors import error_of
from hydra_callback_kit.journal.format import JournalNotFoundError
from hydra_callback_kit.remote.mirror import mirror
from hydra_callback_kit.remote.store import UnknownSchemeError


def copied(url: str) -> Path:
    """Copies what the commands read of the runs at a URL.

    Raises:
        NothingToShowError: if there is none.
        click.ClickException: if it cannot be read.
    """
    from hydra_callback_kit.trackers.credentials import without_credentials  # noqa: PLC0415  --help needs no OmegaConf

    try:
        return mirror(url)
    except JournalNotFoundError as error:
        raise NothingToShowError(without_credentials(str(error))) from None
    except (UnknownSchemeError, ModuleNotFoundError) as error:
        raise click.UsageError(without_credentials(str(error))) from None
    except Exception as error:  # noqa: BLE001  whatever the library raises
        reason = without_credentials(error_of(error).headline)
        raise click.ClickException(f"{without_credentials(url)} cannot be read: {reason}") from None
