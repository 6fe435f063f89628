"""Secrets are recognised by their keys and replaced wherever they stand."""

import pytest
from apps import without_numbers
from omegaconf import OmegaConf

from hydra_callback_kit.configs.known_secrets import redaction_of
from hydra_callback_kit.configs.redaction import Redaction
from hydra_callback_kit.journal.masking import is_mark

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
OPEN += ["pad_token", "eos_token", "bosToken", "unk_token", "mask_token", "tokenizer.sep_token", "decoder_start_token"]
OPEN += ["token_type", "token_classification", "mypasswords2go", "nosecrets"]


@pytest.mark.parametrize("key", SECRET)
def test_secret_keys(key: str) -> None:
    """Under a secret key every value is replaced, at any depth; null says nothing and stays."""
    redaction = Redaction()
    assert redaction.of_value({"a": [{key: "x"}]}) == {"a": [{key: redaction.mark("x")}]}
    assert is_mark(redaction.of_value({key: {"inner": 1}})[key])
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
    assert without_numbers(Redaction().of_override(override)) == redacted


def test_results_keep_their_numbers() -> None:
    """What a job returned under such a key is a secret if it is a text, and a metric if it is a number."""
    returned = {"token_accuracy": 0.5, "nested": [{"password": "p", "tokens": "x"}], "api_key": ["k", 1]}
    p, k = (Redaction().mark(secret) for secret in ("p", "k"))
    hidden = {"token_accuracy": 0.5, "nested": [{"password": p, "tokens": "x"}], "api_key": [k, 1]}
    assert Redaction().of_result(returned) == hidden


def test_a_secret_is_found_where_no_key_tells() -> None:
    """In a text that an interpolation or an error put together; a short one is left alone, for it may be any word."""
    config = {"db": {"password": "swordfish", "pin": 1}, "api_keys": ["first-key", {"x": "second-key"}], "token": "ab"}
    redaction = Redaction()
    assert redaction.secrets_in(config) == ["swordfish", "first-key", "second-key", "ab"]
    redaction.learn(redaction.secrets_in(config))
    hidden = redaction.mark("swordfish")
    assert redaction.of_value({"url": ["u:swordfish@h"]}) == {"url": [f"u:{hidden}@h"]}
    assert redaction.of_value({"swordfish": "table"}) == {hidden: "table"}
    assert redaction.of_value(["ab", "table"]) == [redaction.mark("ab"), "table"]


def test_the_keys_are_the_users_choice() -> None:
    """Given keys replace the default ones; none redacts nothing."""
    assert Redaction(["ssn"]).of_value({"ssn": 1, "password": 2}) == {"ssn": Redaction().mark(1), "password": 2}
    assert Redaction([]).of_value({"password": 2}) == {"password": 2}


@pytest.mark.parametrize(
    ("override", "redacted"),
    [
        ("token_dropout=0.1", "token_dropout=0.1"),
        ("token_dropout=0.1,0.9", "token_dropout=0.1,0.9"),
        ("mask_token_prob=range(1,5)", "mask_token_prob=range(1,5)"),
        ("use_token=true", "use_token=true"),
        ("secret_dim=[64,128]", "secret_dim=[64,128]"),
        ("token_dropout=abc", "token_dropout=abc"),
        ("password=1234", "password=<redacted>"),
        ("hf_token=1,2", "hf_token=<redacted>"),
        ("model={password_length:8,password:8}", "model=<redacted>"),
        ("model={password_length:8}", "model={password_length:8}"),
    ],
)
def test_a_number_is_secret_only_where_the_key_ends_with_the_word(override: str, redacted: str) -> None:
    """A sweep over `token_dropout` must tell its jobs apart."""
    assert without_numbers(Redaction().of_override(override)) == redacted


def test_a_number_may_be_a_secret() -> None:
    """Hydra reads a password of digits as a number; where an interpolation carries it, it is a text."""
    assert Redaction().secrets_in({"password": 12345678, "token_dim": 123456789, "token": True, "secret": 12}) == [
        "12345678"
    ]


def test_a_node_without_keys_has_the_default_ones() -> None:
    """As the class has, also a subclass under its own name and the class under its full one."""
    for target in (
        "hydra_callback_kit.RedactionCallback",
        "hydra_callback_kit.callbacks.redaction_callback.RedactionCallback",
    ):
        config = OmegaConf.create(
            {"hydra": {"callbacks": {"r": {"_target_": target}}, "overrides": {"task": [], "hydra": []}}}
        )
        assert redaction_of(config).keys.is_secret("password")


def test_two_secrets_stay_two_values() -> None:
    """So that nothing that is grouped by them is mixed up; each run has numbers of its own."""
    one, other = Redaction(key=b"1"), Redaction(key=b"2")
    assert one.of_override("db.password=first") == one.of_override("db.password='first'")
    assert one.of_override("db.password=first") != one.of_override("db.password=second")
    assert one.mark("first") == one.of_value({"password": "first"})["password"] == one.mark("first")
    assert one.mark("first") != other.mark("first")


def test_the_password_of_an_address_is_a_secret_under_any_key() -> None:
    """In a value, in an override, and wherever it stands then; not where an interpolation will bring it."""
    redaction = Redaction()
    url, hidden = "postgres://me:swordfish@h:5432/db", f"postgres://me:{redaction.mark('swordfish')}@h:5432/db"
    assert redaction.of_value({"url": [url]}) == {"url": [hidden]}
    assert redaction.of_override(f"url={url}") == f"url={hidden}"
    assert redaction.of_command(["app.py", "--db", url]) == ["app.py", "--db", hidden]
    assert redaction.secrets_in({"url": url}) == ["swordfish"]
    for open_url in ("postgres://me:${db.password}@h", "https://h:80/a@b", "git@host:me/x", "https://h/x"):
        assert redaction.of_value({"url": open_url}) == {"url": open_url}


@pytest.mark.parametrize(
    ("words", "redacted"),
    [
        (["--config-name=token_classification"], ["--config-name=token_classification"]),
        (["--config-name", "password"], ["--config-name", "password"]),
        (["-cn=my_secret", "-m"], ["-cn=my_secret", "-m"]),
        (["--password=hunter2"], ["--password=<redacted>"]),
        (["--api-key", "hunter2", "x=1"], ["--api-key", "<redacted>", "x=1"]),
        (["--tokenizer", "bert", "--token"], ["--tokenizer", "bert", "--token"]),
        (["db.password=hunter2"], ["db.password=<redacted>"]),
    ],
)
def test_commands(words: list[str], redacted: list[str]) -> None:
    """Hydra's options are no overrides; an option of the app's own may be secret."""
    assert [without_numbers(word) for word in Redaction().of_command(words)] == redacted
