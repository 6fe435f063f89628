"""Makes the summaries of a sweep again, as its own callbacks would: what makes them is on record.

A journal may be anybody's. So only callbacks of this package are built, and only files in the run's directory are written.
"""

from pathlib import Path
from typing import Any

import click

from hydra_callback_kit.cli import screen
from hydra_callback_kit.journal.identity import RunIdentity
from hydra_callback_kit.journal.records import RunRecord
from hydra_callback_kit.journal.values import as_text
from hydra_callback_kit.remote.mirror import is_mirror
from hydra_callback_kit.views.summaries import makers, stale_summaries, summary_files


def make_again(run: RunRecord) -> None:
    """Makes a run's summaries again if they are out of date; what was edited since is kept as `<name>.bak`.

    Args:
        run: the run.

    Raises:
        click.ClickException: if one of them cannot be made, or the run does not lie here.
    """
    if is_mirror(run.root):
        raise click.UsageError("What is made again lies in the run's own directory: give that, and no URL.")
    stale = stale_summaries(run)
    if stale is None:
        screen.say("No summary is out of date: nothing was made again.", err=True)
        return
    known = makers(run)
    outside = [name for _, parameters in known for name in summary_files(parameters) if not _is_below(run.root, name)]
    if outside:
        raise click.ClickException(f"{', '.join(outside)} lies outside of {run.root}, and is not written from here.")
    from hydra_callback_kit.hooks.after_the_sweep import make_summaries  # noqa: PLC0415  Hydra is not needed to look

    failed = make_summaries(_config_of(run), [_built(name, parameters) for name, parameters in known])
    if failed:
        raise click.ClickException(f"What {', '.join(failed)} made could not be made again: see above.")
    screen.say(f"Made again: {', '.join(stale.files)} (in {run.root})", err=True)


def _built(name: str, parameters: dict[str, Any]) -> Any:
    import hydra_callback_kit  # noqa: PLC0415  the same

    try:
        return getattr(hydra_callback_kit, name)(**parameters)
    except (ValueError, TypeError) as error:  # another release has other parameters; a library is not installed here
        raise click.ClickException(f"What {name} made cannot be made again here: {error}") from error


def _is_below(root: Path, name: str) -> bool:
    """Links on the way may lead anywhere."""
    try:
        return (root / name).parent.resolve().is_relative_to(root.resolve())
    except (OSError, ValueError, RuntimeError):
        return False


def _config_of(run: RunRecord) -> Any:
    """What stands for the config of the run: the notes that its hooks would have left on it."""
    from omegaconf import OmegaConf  # noqa: PLC0415  the same

    from hydra_callback_kit.configs.identity import note_run  # noqa: PLC0415  the same
    from hydra_callback_kit.configs.notes import notes_of  # noqa: PLC0415  the same

    config = OmegaConf.create({})
    words = run.facts.get("secret_keys")
    note_run(config, RunIdentity(run.run_id, run.root, run.mode, rerun=True))
    if type(words) is list:
        notes_of(config)["secret_keys"] = list(map(as_text, words))
    return config
