"""Secrets are recognised by their keys and replaced wherever they stand."""

import pytest
from omegaconf import OmegaConf

from hydra_callback_kit.configs.redaction import Redaction, redaction_of
from hydra_callback_kit.journal.masking import REDACTED, masked

SECRET = [
    "password",
    "db_password",
    "PGPASSWORD",
    "apiKey",
    "api-key",
    "hf_token",
    "authToken",
    "aws_secret_access_key",
    "secrets",
]
SECRET += ["api_keys", "secretkey", "privateKey", "APIKEY"]
OPEN = ["max_tokens", "tokenizer", "num_tokens", "user", "keyboard", "secretary", "lr", ""]


@pytest.mark.parametrize("key", SECRET)
def test_secret_keys(key: str) -> None:
    """Under a secret key every value is replaced, at any depth; null says nothing and stays."""
    redaction = Redaction()
    assert redaction.of_value({"a": [{key: "x"}]}) == {"a": [{key: REDACTED}]}
    assert redaction.of_value({key: {"inner": 1}}) == {key: REDACTED}
    assert redaction.of_value({key: None}) == {key: None}


@pytest.mark.parametrize("key", OPEN)
def test_open_keys(key: str) -> None:
    """A word that goes on is another word."""
    assert Redaction().of_value({key: "x"}) == {key: "x"}


@pytest.mark.parametrize(
    ("override", "redacted"),
    [
        ("db.password=hunter2", "db.password=<redacted>"),
        ("+db.password='a=b'", "+db.password=<redacted>"),
        ("++api_key=1,2", "++api_key=<redacted>"),
        ("db={host:x,password:y}", "db=<redacted>"),
        ("dbs=[{password:y}]", "dbs=<redacted>"),
        ("db.password=a=b", "db.password=<redacted>"),
        ("dbs={password:y},{password:z}", "dbs=<redacted>"),
        ("name=my_password", "name=my_password"),
        ("~db.password", "~db.password"),
        ("max_tokens=5", "max_tokens=5"),
        ("app.py", "app.py"),
    ],
)
def test_overrides(override: str, redacted: str) -> None:
    """The key decides, also a key inside the value, also in a sweep, also where the grammar gives up."""
    assert Redaction().of_override(override) == redacted


def test_results_keep_their_numbers() -> None:
    """What a job returned under such a key is a secret if it is a text, and a metric if it is a number."""
    returned = {"token_accuracy": 0.5, "nested": [{"password": "p", "tokens": "x"}], "api_key": ["k", 1]}
    hidden = {"token_accuracy": 0.5, "nested": [{"password": REDACTED, "tokens": "x"}], "api_key": [REDACTED, 1]}
    assert Redaction().of_result(returned) == hidden


def test_a_secret_is_found_where_no_key_tells() -> None:
    """In a text that an interpolation or an error put together; a short one is left alone, for it may be any word."""
    config = {"db": {"password": "swordfish", "pin": 1}, "api_keys": ["first-key", {"x": "second-key"}], "token": "ab"}
    secrets = Redaction().secrets_in(config)
    assert secrets == {"swordfish", "first-key", "second-key"}
    assert masked({"url": ["u:swordfish@h"]}, secrets) == {"url": ["u:<redacted>@h"]}


def test_the_keys_are_the_users_choice() -> None:
    """Given keys replace the default ones; none redacts nothing."""
    assert Redaction(["ssn"]).of_value({"ssn": 1, "password": 2}) == {"ssn": REDACTED, "password": 2}
    assert Redaction([]).of_value({"password": 2}) == {"password": 2}


@pytest.mark.parametrize(
    ("override", "redacted"),
    [
        ("token_dropout=0.1", "token_dropout=0.1"),
        ("token_dropout=0.1,0.9", "token_dropout=0.1,0.9"),
        ("mask_token_prob=range(1,5)", "mask_token_prob=range(1,5)"),
        ("use_token=true", "use_token=true"),
        ("secret_dim=[64,128]", "secret_dim=[64,128]"),
        ("token_dropout=abc", "token_dropout=<redacted>"),
        ("password=1234", "password=<redacted>"),
        ("hf_token=1,2", "hf_token=<redacted>"),
        ("model={password_length:8,password:8}", "model=<redacted>"),
        ("model={password_length:8}", "model={password_length:8}"),
    ],
)
def test_a_number_is_secret_only_where_the_key_ends_with_the_word(override: str, redacted: str) -> None:
    """A sweep over `token_dropout` must tell its jobs apart."""
    assert Redaction().of_override(override) == redacted


def test_a_number_may_be_a_secret() -> None:
    """Hydra reads a password of digits as a number; where an interpolation carries it, it is a text."""
    assert Redaction().secrets_in({"password": 12345678, "token_dim": 123456789, "token": True}) == {"12345678"}


def test_a_node_without_keys_has_the_default_ones() -> None:
    """As the class has, also a subclass under its own name and the class under its full one."""
    for target in (
        "hydra_callback_kit.RedactionCallback",
        "hydra_callback_kit.callbacks.redaction_callback.RedactionCallback",
    ):
        config = OmegaConf.create({"hydra": {"callbacks": {"r": {"_target_": target}}}})
        assert redaction_of(config).is_secret("password")
