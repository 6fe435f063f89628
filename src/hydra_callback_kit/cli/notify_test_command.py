"""`hydra-callback-kit notify-test`: one message to each url, and what to do where it is not accepted."""

import importlib.util
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import click

from hydra_callback_kit.cli import screen
from hydra_callback_kit.trackers import apprise_library


@click.command("notify-test")
@click.argument("urls", metavar="[URL]...", nargs=-1)
@click.option("--env", "variable", metavar="NAME", help="Take the urls from this environment variable, apart by spaces.")
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Take them from a config: what stands there below notification_callback.",
)
@click.option("--timeout", "timeout_s", metavar="S", default=10.0, show_default=True, help="Seconds that each may take.")
def command(*, urls: tuple[str, ...], variable: str | None, config: Path | None, timeout_s: float) -> None:
    """Send a test message to the urls of notification_callback.

    For each url it is said whether it was accepted, and what to do if not. The exit code is 1 if one was not. A url is a
    secret. One that is typed here stands in the shell's history: --env and --config keep it out.
    """
    if importlib.util.find_spec("apprise") is None:
        raise click.UsageError("Apprise is not installed here. Type: pip install 'hydra-callback-kit[notify]'")
    if not timeout_s > 0:
        raise click.UsageError(f"--timeout {timeout_s:g} is not valid: allowed are seconds, more than 0.")
    given = [*urls, *(_of_variable(variable) if variable else ()), *(_of_config(config) if config else ())]
    if not given:
        raise click.UsageError("There is no url. Say where they stand: --env NOTIFY_URL, or --config conf/config.yaml.")
    problems = _tried(given, timeout_s)
    for place, (url, problem) in enumerate(zip(given, problems, strict=True)):
        screen.say(f"urls[{place}] {apprise_library.named(url)}: ", *_verdict(problem))
        if problem is not None:
            screen.say(f"  {problem.advice}")
    code = int(any(problems))
    if any(problem is not None and problem.why_not == apprise_library.LATE for problem in problems):
        sys.stdout.flush()
        os._exit(code)  # what still waits for an answer would keep the process
    if code:
        raise SystemExit(code)


class _Problem(NamedTuple):
    """Why a url did not accept a message, and what to do."""

    why_not: str
    advice: str


_SERVICES: Final = "https://appriseit.com/services"


def _tried(urls: Sequence[str], timeout_s: float) -> list[_Problem | None]:
    """What became of a message to each url; None where it was accepted."""
    from hydra_callback_kit.views.message import Message  # noqa: PLC0415  --help needs none of it

    text = f"What notification_callback says on {socket.gethostname()} arrives here."
    problems = {place: problem for place, url in enumerate(urls) if (problem := _mistake(url)) is not None}
    places = [place for place in range(len(urls)) if place not in problems]
    answers = apprise_library.send(
        [urls[place] for place in places], Message("hydra-callback-kit: test", text, "info"), timeout_s
    )
    advice = "Can this machine reach the service (proxy, firewall)? Are the token and the address right, and still good?"
    for place, why_not in zip(places, answers, strict=True):
        if why_not is not None:
            problems[place] = _Problem(why_not, advice)
    return [problems.get(place) for place in range(len(urls))]


def _mistake(url: str) -> _Problem | None:
    """What is wrong with a url before it is tried; None for nothing."""
    scheme = apprise_library.scheme_of(url)
    if scheme is None:
        return _Problem("it is no url", f"A url is written like slack://… or mailto://…: {_SERVICES}")
    why_not = apprise_library.refused(url)
    if why_not is None:
        return None
    if apprise_library.may_be_known(scheme):
        return _Problem(why_not, f"How its url is written stands at {_SERVICES}")
    nearest = apprise_library.nearest_scheme(scheme)
    advice = f"Did you mean {nearest}://? All services stand at {_SERVICES}" if nearest else f"All stand at {_SERVICES}"
    return _Problem(f"Apprise knows no {scheme}://", advice)


def _verdict(problem: _Problem | None) -> list[str | screen.Styled]:
    if problem is None:
        return [screen.Styled("accepted", "green")]
    return [screen.Styled("not accepted", "red"), f": {problem.why_not}"]


def _of_variable(name: str) -> list[str]:
    if not os.environ.get(name, "").strip():
        raise click.UsageError(f"The environment variable {name} is not set, or empty. Type: export {name}=…")
    return apprise_library.urls_in(os.environ[name])


def _of_config(file: Path) -> list[str]:
    from omegaconf import DictConfig, OmegaConf  # noqa: PLC0415  --help needs none of it
    from omegaconf.errors import OmegaConfBaseException  # noqa: PLC0415  the same

    try:
        waiting: list[Any] = [OmegaConf.load(file)]
    except Exception as error:
        raise click.UsageError(f"{file} cannot be read as a config.") from error
    while waiting:
        node = waiting.pop()
        if isinstance(node, DictConfig) and not node._is_none():  # noqa: SLF001  it has no public name
            for name in node:
                try:
                    if name == "notification_callback" and "urls" in (node[name] or {}):
                        urls = node[name].urls
                        found = [urls] if isinstance(urls, str) else list(urls or ())
                        return [url for each in found if each for url in apprise_library.urls_in(str(each))]
                    if isinstance(node._get_node(name), DictConfig):  # noqa: SLF001  nothing else is resolved
                        waiting.append(node._get_node(name))  # noqa: SLF001  the same
                except OmegaConfBaseException as error:
                    reason = str(error).partition("\n")[0]
                    raise click.UsageError(
                        f"{file}: the urls of notification_callback are not known here: {reason}"
                    ) from error
    raise click.UsageError(f"{file} sets no urls of notification_callback.")
