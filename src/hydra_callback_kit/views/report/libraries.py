"""What the extra `report` installs: jinja2, and plotly for its JavaScript file alone.

plotly's Python package is found, not imported: that would take longer than writing the whole report.
"""

import importlib.util
from pathlib import Path
from typing import Final

INSTALL: Final = "pip install 'hydra-callback-kit[report]'"

PLOTLY_FILE: Final = "plotly.min.js"
"""Its name beside the report."""


def missing_libraries(*, plots: bool) -> list[str]:
    """Names what is not installed.

    Args:
        plots: whether the page has plots.
    """
    return [name for name in ("jinja2", "plotly")[: 1 + plots] if importlib.util.find_spec(name) is None]


def plotly_javascript() -> Path:
    """The file of plotly's JavaScript.

    Raises:
        ModuleNotFoundError: if plotly is not installed.
    """
    found = importlib.util.find_spec("plotly")
    if found is None or found.origin is None:
        raise ModuleNotFoundError(f"The report needs plotly: {INSTALL}", name="plotly")
    return Path(found.origin).parent / "package_data" / PLOTLY_FILE
