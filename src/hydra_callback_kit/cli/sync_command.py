"""`hydra-callback-kit sync`: a run or sweep, sent to a tracker from its record."""

import importlib
import importlib.util
import shlex
from pathlib import Path
from typing import Any, Final

import click

from hydra_callback_kit.cli import screen
from hydra_callback_kit.cli.below import NothingToShowError, latest_here
from hydra_callback_kit.cli.completion import RunPath
from hydra_callback_kit.cli.target import assume_gone_option, run_option, the_run
from hydra_callback_kit.journal.errors import error_of
from hydra_callback_kit.journal.records import RunRecord
from hydra_callback_kit.journal.values import as_text
from hydra_callback_kit.views import wording

TRACKERS: Final = {"mlflow": "MLflow", "wandb": "W&B", "tensorboard": "TensorBoard"}
"""The trackers by the names that they have on record. Each has a module `trackers.<name>_sync`."""


class _Place(click.Choice):  # type: ignore[type-arg]  # not generic in click 8.1
    """A tracker's name; or a place that files are sent to, which is a URL or a path with a slash in it."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if isinstance(value, str) and "/" in value:
            return value
        try:
            return str(super().convert(value, param, ctx))
        except click.BadParameter as error:
            raise click.BadParameter(f"{error.message} For a folder type ./{value}.", ctx, param) from None


@click.command("sync")
@click.argument("path", required=False, type=RunPath(here=True, exists=True, path_type=Path))
@click.option(
    "--to",
    "names",
    metavar="[mlflow|wandb|tensorboard|URL]",
    type=_Place(list(TRACKERS)),
    multiple=True,
    help="The tracker, or where files go, such as s3://bucket/runs.  [default: the trackers that the run's record names]",
)
@click.option("--address", metavar="URI", help="Where it is.  [default: what the tracker's own settings say]")
@click.option("--project", metavar="NAME", help="MLflow's experiment, W&B's project.  [default: the one on record]")
@assume_gone_option
@run_option
def command(
    *,
    path: Path | None,
    names: tuple[str, ...],
    address: str | None,
    project: str | None,
    assume_gone: bool,
    run_id: str | None,
) -> None:
    """Send a run or a sweep to a tracker or a bucket, from its record.

    For those that ran without the tracker or without a network, and for what could not be sent while they ran. What is there
    already stays as it is, so that it may be typed again. Jobs that still run are left to send it themselves. A job that
    cannot be sent is named, and the others are sent; then the exit code is 1.
    """
    run = the_run(latest_here() if path is None else path, run_id, with_configs=True, assume_gone=assume_gone)
    screen.print_warnings(run)
    if not run.jobs:
        raise NothingToShowError(f"No job has started yet in {run.root}.")
    chosen = names or tuple(name for name in TRACKERS if name in run.facts)
    uploaded = run.facts.get("uploaded")
    if not chosen and type(uploaded) is dict:
        # a record may be anybody's, and what lies here would be sent there
        to = as_text(uploaded.get("to")).removesuffix(f"/{run.run_id}")
        words = ["hydra-callback-kit", "sync", str(run.root), "--to", to]
        raise click.UsageError(f"The record says that its files go to {to}. Type: {shlex.join(words)}")
    if not chosen:
        raise click.UsageError(f"{run.root} was sent to no tracker yet: say --to {' or --to '.join(TRACKERS)}.")
    were_sent = [_sync(name, run, address, project) if name in TRACKERS else _upload(name, run) for name in chosen]
    if not all(were_sent):
        raise SystemExit(1)


def _sync(name: str, run: RunRecord, address: str | None, project: str | None) -> bool:
    """Tells whether each job could be sent."""
    module = importlib.import_module(f"hydra_callback_kit.trackers.{name}_sync")
    if module.LIBRARY is not None and importlib.util.find_spec(module.LIBRARY) is None:
        raise click.UsageError(f"{TRACKERS[name]} is not installed here. Type: pip install 'hydra-callback-kit[{name}]'")
    from hydra_callback_kit.trackers.credentials import without_credentials  # noqa: PLC0415  --help needs no OmegaConf
    from hydra_callback_kit.trackers.syncing import NotSaidError  # noqa: PLC0415  the same

    redaction = _redaction(run)
    try:
        done = module.sync(run, redaction, address, project)
    except NotSaidError as error:
        words = ["hydra-callback-kit", "sync", str(run.root), "--to", name, "--address", error.named]
        raise click.UsageError(f"The record says {error.named}, and {error.settings}. Type: {shlex.join(words)}") from error
    except Exception as error:  # whatever the library raises
        reason = redaction.of_text(without_credentials(error_of(error).headline))
        raise click.ClickException(f"{TRACKERS[name]} could not be told everything: {reason}") from error
    screen.say(f"{done.place}: {wording.jobs(len(run.jobs))}: {_counts(done)}")
    for job_num, why in done.failed.items():
        reason = redaction.of_text(without_credentials(error_of(why).headline))
        screen.say(f"Error: {TRACKERS[name]} could not be told everything of job {job_num}: {reason}", err=True)
    return not done.failed


def _upload(to: str, run: RunRecord) -> bool:
    """Tells whether each file could be sent."""
    from hydra_callback_kit.remote.store import UnknownSchemeError, lies_in, missing_library  # noqa: PLC0415  as above
    from hydra_callback_kit.trackers.credentials import without_credentials  # noqa: PLC0415  the same
    from hydra_callback_kit.trackers.upload_sync import sync  # noqa: PLC0415  the same

    redaction, shown = _redaction(run), without_credentials(to)
    if lies_in(to, run.root):
        raise click.UsageError(f"{shown} lies in the run's own directory. Say --to with another directory.")
    try:
        missing = missing_library(to)
        if missing is not None:
            raise click.UsageError(f"{shown} needs {missing}, which is not installed here. Type: pip install {missing}")
        place, sent = sync(run, redaction, to)
    except UnknownSchemeError as error:
        raise click.UsageError(f"{shown}: {error}") from None
    except click.UsageError:
        raise
    except Exception as error:  # whatever the library raises
        reason = redaction.of_text(without_credentials(error_of(error).headline))
        raise click.ClickException(f"Not all could be sent to {shown}: {reason}") from error
    counts = {"sent": sent.now.sent, "there already": sent.now.there, "left out": sent.left_out}
    counts |= {"not sent": len(sent.now.failed)}
    said = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    screen.say(f"{place}: {wording.size(sent.bytes)}, files: {said or 'none'}")
    for name, why in list(sent.now.failed.items())[:10]:
        screen.say(f"Error: {name}: {redaction.of_text(without_credentials(error_of(why).headline))}", err=True)
    if sent.running:
        screen.say(f"{wording.jobs(sent.running)} still running: sent when they have ended, and the journal then", err=True)
    return not sent.now.failed and (sent.is_whole or bool(sent.running))


def _redaction(run: RunRecord) -> Any:
    from hydra_callback_kit.configs.redaction import Redaction  # noqa: PLC0415  as above
    from hydra_callback_kit.configs.secret_keys import DEFAULT_SECRET_KEYS  # noqa: PLC0415  the same

    words = run.facts.get("secret_keys")
    return Redaction(list(map(as_text, words)) if type(words) is list else DEFAULT_SECRET_KEYS)


def _counts(done: Any) -> str:
    counts = {"made": done.made, "updated": done.updated, "there already": done.complete, "still running": done.running}
    counts |= {"deleted there, and left so": done.deleted, "not sent": len(done.failed)}
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count)
