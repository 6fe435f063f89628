"""What nobody may read of an address."""

import pytest

from hydra_callback_kit.trackers.credentials import without_credentials


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("http://me:secret@host:5000/path", "http://host:5000/path"),
        ("https://token@host", "https://host"),
        ("postgresql://me:p@ss@host/db?sslpassword=x", "postgresql://host/db"),
        (
            "failed: https://host/api?token=abc (retried), see http://other/#access_token=1",
            "failed: https://host/api (retried), see http://other/",
        ),
        ("sqlite:////tmp/mlflow.db", "sqlite:////tmp/mlflow.db"),
        ("mail me@example.org?", "mail me@example.org?"),
        ("databricks", "databricks"),
    ],
)
def test_no_user_no_password_no_query(text: str, without: str) -> None:
    """Wherever addresses stand in a text."""
    assert without_credentials(text) == without
