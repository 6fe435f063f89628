"""MLflow as a library: what is imported of it, where it is, and what it prints."""

import contextlib
import os
import urllib.parse
from collections.abc import Iterator
from typing import Final

_DATABASES: Final = ("sqlite", "postgresql", "mysql", "mssql")
_SCHEMES: Final = ("", "file", "http", "https", "databricks", "databricks-uc", "uc")
_PLUGINS: Final = "mlflow.tracking_store"
_SOURCE: Final = ("mlflow.user", "mlflow.source.name", "mlflow.source.type", "mlflow.source.git.commit")


def is_address(uri: str) -> bool:
    """Whether MLflow, or a plugin of it that is installed, knows what is at such an address. Nothing of it is imported."""
    try:
        scheme = urllib.parse.urlsplit(uri).scheme
    except ValueError:
        return False
    if len(scheme) == 1 or scheme in _SCHEMES or scheme.startswith(_DATABASES):  # one letter: a drive
        return True
    from importlib.metadata import entry_points  # noqa: PLC0415  few have a plugin

    return any(plugin.name == scheme for plugin in entry_points(group=_PLUGINS))


def load(uri: str) -> None:
    """Imports MLflow, and what it needs to write into a database itself: seconds in which no tracker is waited for.

    Args:
        uri: where the runs go.
    """
    import mlflow  # noqa: PLC0415  it takes seconds

    if uri.startswith(_DATABASES):
        with contextlib.suppress(ImportError):  # MLflow itself will say what is missing
            import mlflow.store.tracking.sqlalchemy_store  # noqa: F401, PLC0415  the same


def address(uri: str | None) -> str:
    """Where the runs go, the same from every directory.

    Args:
        uri: as it was given; None for what MLflow's own settings say.
    """
    import mlflow  # noqa: PLC0415  it takes seconds

    given: str = uri or mlflow.get_tracking_uri()
    scheme, is_file, path = given.partition(":///")
    if scheme.startswith("sqlite") and is_file and path and not path.startswith(("/", ":memory:")):
        return f"{scheme}:///{os.path.abspath(path)}"  # noqa: PTH100  it need not be there yet
    return given if ":" in given or given == "databricks" else os.path.abspath(given)  # noqa: PTH100  the same


@contextlib.contextmanager
def using(uri: str) -> Iterator[None]:
    """Lets this process talk to one MLflow: older clients send files to no other.

    Args:
        uri: where it is.
    """
    import mlflow  # noqa: PLC0415  it takes seconds

    before = mlflow.get_tracking_uri() if mlflow.is_tracking_uri_set() else None
    mlflow.set_tracking_uri(uri)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(before)


def source_tags() -> dict[str, str]:
    """Who has started this process, from which file and commit, as MLflow itself notes it with the runs of its own API."""
    from mlflow.tracking.context.registry import resolve_tags  # noqa: PLC0415  it takes seconds

    return {name: str(tag) for name, tag in resolve_tags().items() if name in _SOURCE}


def reach(uri: str) -> None:
    """A server that is down is known at once: MLflow itself tries for minutes.

    Args:
        uri: where the runs go.

    Raises:
        ConnectionError: if nobody answers there.
    """
    if not uri.startswith(("http://", "https://")):
        return
    import requests  # noqa: PLC0415  MLflow has it

    try:
        # one that takes the connection and says nothing is waited for, as far as anybody has patience
        requests.get(f"{uri.rstrip('/')}/health", timeout=600, allow_redirects=False).close()
    except requests.exceptions.SSLError:
        return  # MLflow has settings for it
    except requests.exceptions.ConnectionError as error:
        raise ConnectionError(f"nobody answers at {uri}") from error


@contextlib.contextmanager
def without_its_links() -> Iterator[None]:
    """MLflow prints two lines for each run that ends, which belong into no job's output."""
    name = "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"
    before = os.environ.get(name)
    os.environ[name] = "true"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = before
