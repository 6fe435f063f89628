"""`hydra-callback-kit`: the group of commands, each imported when it is asked for."""

import errno
import gc
import importlib
import io
import os
import sys
from typing import TYPE_CHECKING, Any, Final

import click

from hydra_callback_kit.journal.printable import printable
from hydra_callback_kit.views.bottom_line import let_all_scroll

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS: Final = {
    "list": "List the callbacks, or describe one of them.",
    "show": "Show a run or a sweep, or list the runs below a folder.",
    "failed": "Name what failed or was interrupted, and why.",
    "attach": "Follow the output of a run that was detached.",
    "stop": "End a run and its jobs, gently and then hard.",
    "rerun": "Print the commands that run what did not complete, or run them.",
    "collect": "Write the results table of one or more sweeps.",
    "report": "Write the report of a run or of several sweeps, one HTML file.",
    "best": "Show the best job of a sweep, and its best setting.",
    "sync": "Send a run or a sweep to a tracker or a bucket, from its record.",
    "notify-test": "Send a test message to the urls of notification_callback.",
    "compare": "Show what differs between runs, or which of two is better.",
    "table": "Write a table of a sweep's settings, for a paper.",
}
"""The commands and their first lines, said here so that `--help` need not import them."""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's own signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  the same
        if cmd_name not in COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        command: click.Command = importlib.import_module(f"hydra_callback_kit.cli.{name}_command").command
        return command

    def main(self, *args: Any, **kwargs: Any) -> Any:
        if sys.stdout is None:  # it was closed before
            sys.stdout = io.StringIO()
        try:
            try:
                return super().main(*args, **kwargs)
            finally:
                sys.stdout.flush()
        except OSError as error:
            if error.filename is not None:  # it is a file's, and not the output's
                raise
            sys.stdout = io.StringIO()  # what is left of the output is not tried again
            if error.errno != errno.EPIPE:  # who reads no more wants no more
                click.ClickException(f"The output cannot be written: {error.strerror}").show()
            sys.exit(1)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            os.getcwd()  # noqa: PTH109  pathlib need not be there
        except FileNotFoundError:
            raise click.ClickException("The current folder was removed. Go to another one: cd ~") from None
        try:
            return super().invoke(ctx)
        except click.ClickException as error:  # it may speak of what others have named
            from hydra_callback_kit.remote.mirror import named  # noqa: PLC0415  only who went wrong needs it

            error.message = printable(named(error.message))  # type: ignore[misc]  # click itself declares it final
            raise

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib  # noqa: PLC0415  only who mistyped needs it

            nearest = difflib.get_close_matches(args[0], COMMANDS, n=1)
            if not nearest:
                raise
            raise click.UsageError(f"{error.message} Did you mean {nearest[0]}?", ctx) from None

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        from click.shell_completion import CompletionItem  # noqa: PLC0415  only the shell needs it

        named = [CompletionItem(name, help=text) for name, text in COMMANDS.items() if name.startswith(incomplete)]
        return [*named, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  the same
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hydra-callback-kit", prog_name="hydra-callback-kit")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Look at Hydra runs and sweeps, running or finished, and run again what is missing.

    PATH is a run's output directory, a sweep's directory, or a folder above. What is shown was recorded by the callbacks
    of hydra-callback-kit; any one of them is enough.

    The exit code is 0; 1 when there is nothing to show, a job that was run again failed, or a run could not be stopped; 2
    when a command is used wrongly. That of attach is the run's.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what a job returned may hold characters that the terminal has not
            stream.reconfigure(errors="backslashreplace")
    let_all_scroll(sys.stdout)  # where a sweep with a progress bar was killed on this terminal
    if gc.isenabled():
        # a command ends before there is any garbage, and looking for it among many records takes a tenth of the time
        gc.disable()
        ctx.call_on_close(gc.enable)
