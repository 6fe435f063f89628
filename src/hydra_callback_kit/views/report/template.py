"""The page's template, compiled once for all processes."""

import contextlib
import importlib.util
import sys
from pathlib import Path
from typing import Any

from hydra_callback_kit.journal.printable import printable
from hydra_callback_kit.views.report.script import ASSETS


def page_template() -> Any:
    """The template, as Jinja compiles it.

    To compile it takes Jinja longer than Hydra takes for a job. So what it has compiled is kept where Python keeps what it
    compiles of this package, unless the user wants nothing written there, or it cannot be.
    """
    from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader  # noqa: PLC0415  an extra, and slow to import

    class Compiled(FileSystemBytecodeCache):
        def load_bytecode(self, bucket: Any) -> None:
            try:
                super().load_bytecode(bucket)
            except Exception:  # noqa: BLE001  whatever a file says that was not written whole: it is compiled again
                bucket.reset()

        def dump_bytecode(self, bucket: Any) -> None:
            if not sys.dont_write_bytecode:
                with contextlib.suppress(OSError):
                    super().dump_bytecode(bucket)

    beside = Path(importlib.util.cache_from_source(__file__)).parent
    environment = Environment(
        loader=FileSystemLoader(ASSETS),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_printable,
        bytecode_cache=Compiled(str(beside)),
    )
    return environment.get_template("template.html.j2")


def _printable(value: Any) -> Any:
    """Every text on the page; what is HTML already is our own."""
    return value if hasattr(value, "__html__") or not isinstance(value, str) else printable(value)
