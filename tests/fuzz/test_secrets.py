"""Any secret, in any of its forms, in any place of what we write: no byte of it is left."""

import html
import json
import re
import shlex
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
import yaml
from hypothesis import assume, example, given
from hypothesis import strategies as st

from hydra_callback_kit.configs.redaction import Redaction
from hydra_callback_kit.configs.secret_keys import SecretKeys
from hydra_callback_kit.journal.encoder import MAX_REPR, MAX_STRING
from hydra_callback_kit.journal.errors import MAX_TEXT, error_of
from hydra_callback_kit.journal.masking import MIN_SECRET

PEM = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEF\nAASCBKcwggSjAgEAAoIBAQ\n-----END KEY-----\n"
FORMS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "repr": repr,
    "JSON": json.dumps,
    "JSON with its letters": lambda text: json.dumps(text, ensure_ascii=False),
    "a repr in JSON": lambda text: json.dumps(repr(text)),
    "JSON in JSON": lambda text: json.dumps(json.dumps([text])),
    "shell": shlex.quote,
    "shell between double quotes": lambda text: '"' + "".join("\\" + c if c in '\\"$`' else c for c in text) + '"',
    "URL": lambda text: quote(text, safe=""),
    "URL in lower case": lambda text: re.sub("%..", lambda found: found[0].lower(), quote(text, safe="")),
    "path of a URL": quote,
    "form": quote_plus,
    "page": html.escape,
    "Hydra": lambda text: "'" + text.replace("'", "\\'") + "'",
    "a shell's word in a list in JSON": lambda text: json.dumps(repr([shlex.quote(text), repr(text)])),
    "exception": lambda text: str(KeyError(text)),
    "stripped": str.strip,
    "lines": lambda text: " / ".join(text.split("\n")),
    "one line": lambda text: " ".join(text.split("\n")),
    "Windows": lambda text: text.replace("\n", "\r\n"),
}


def is_secret_word(text: str) -> bool:
    """A password that is one of the words that make a key secret is not looked for in other texts."""
    return text.lower() in SecretKeys().words


letters = st.text(st.characters(exclude_categories=["Cs"]), min_size=MIN_SECRET, max_size=40)
secrets = (letters | st.text("ab'\"\\ %&<>$`\n+/=é🎈", min_size=MIN_SECRET, max_size=20) | st.just(PEM)).filter(
    lambda text: len(text.strip()) >= MIN_SECRET and not is_secret_word(text)
)


class Odd:
    """Says a text, behind so many other letters."""

    def __init__(self, text: str, before: int = 0) -> None:
        self.text = "-" * before + text

    def __repr__(self) -> str:
        return self.text


def parts_of(secret: str) -> list[str]:
    """What must not be left of it: pieces that are long enough to tell something."""
    return [secret[start : start + MIN_SECRET] for start in range(0, len(secret) - MIN_SECRET + 1, MIN_SECRET)]


@pytest.mark.parametrize("form", FORMS)
@given(secret=secrets)
@example(secret="p'a\"s\\s w%r&d/é")  # noqa: S106  no one's
@example(secret=PEM)
def test_every_form(form: str, secret: str) -> None:
    """In a text of ours: between other words, and twice."""
    redaction = Redaction()
    redaction.learn([secret])
    shown = FORMS[form](secret)
    hidden = redaction.of_text(f"log in with {shown} (or {shown})")
    left = hidden.replace("log in with ", "").replace(" (or ", "")
    lines = [line.strip() for line in re.split("\n| / ", shown) if len(line.strip()) >= MIN_SECRET]
    assert form == "lines" or shown not in hidden
    assert not any(line in left for line in lines if not line.startswith("-----"))  # a short line may be any word


HOSTILE = ["'" * 9 + "x", "'" * 10 + '"' * 6 + "x", "\\" * 12 + "x", "a\n\n\n\nb1234", " ' ' ' 'x1", "% % %%x1"]


@pytest.mark.parametrize("secret", HOSTILE)
@pytest.mark.parametrize("text", ["'", '"', "\\", " ", "\n", "a\n ", "%25", "'\"\\ ", "&#39;", "%2525"])
def test_a_hostile_text_is_gone_through_in_a_moment(secret: str, text: str) -> None:
    """No expression takes the same characters in many ways: it would never come to an end."""
    redaction = Redaction()
    redaction.learn([secret])
    assert redaction.of_text(f"a{text * 3_000}") == f"a{text * 3_000}"


@given(secrets)
@example("redacted")
@example("<redacted 12345>")
@example("0123456789")
def test_no_place_is_forgotten(secret: str) -> None:
    """Values and keys of what a job returns, cut texts, objects, errors, overrides and commands."""
    redaction = Redaction()
    assume(secret not in redaction.mark(secret) and not any(part in "<redacted 0123456789>" for part in parts_of(secret)))
    assume(not any(part in repr(vars(Odd)) or part in "Odd test_secrets - x ValueError" for part in parts_of(secret)))
    redaction.learn([secret])
    values: list[Any] = [
        *(
            secret,
            {secret: 1},
            {"a": [f"x{secret}x", (secret,)]},
            Odd(secret),
            [Odd(secret, MAX_REPR - 4)],
            {Odd(secret): 1},
        ),
        *("-" * (MAX_STRING - 3) + secret, ["-" * (MAX_REPR - 3) + secret] * 1_500, ValueError(secret), secret.encode),
    ]
    written = json.dumps(redaction.encoded({"values": values, secret: 1}), ensure_ascii=False)
    assert secret not in written
    assert json.dumps(secret)[1:-1] not in json.dumps(redaction.encoded({"values": values}))
    for error in (ValueError(secret), KeyError("-" * (MAX_TEXT // 2 - 5) + secret + "-" * MAX_TEXT)):
        record = error_of(error, redaction.of_text)
        assert secret not in record.message
        assert secret not in record.traceback
    words = ["app.py", f"x={secret}", f"--x={secret}", secret, f"url=postgres://me:{quote(secret, safe='')}@h"]
    assert secret not in "\n".join(redaction.of_command(words))


@given(st.text("abc1", min_size=1, max_size=MIN_SECRET - 1))
def test_a_short_secret_is_hidden_where_it_is_the_whole_text(secret: str) -> None:
    """And as the password of an address; harmless words that hold it are left, and so are numbers, booleans and null."""
    redaction = Redaction()
    redaction.learn(redaction.secrets_in({"password": secret}))
    mark = redaction.mark(secret)
    assert redaction.of_value([secret, {"user": secret}]) == [mark, {"user": mark}]
    assert redaction.of_override(f"user={secret}") == f"user={mark}"
    assert redaction.of_text(f"postgres://me:{secret}@h") == f"postgres://me:{mark}@h"
    assert redaction.of_text(f"x{secret}x and {secret}") == f"x{secret}x and {secret}"
    assert redaction.of_value([1, True, None, 1.5]) == [1, True, None, 1.5]


@given(st.dictionaries(st.sampled_from(["password", "api_key", "x", "hf_token"]), secrets, min_size=1))
def test_what_a_result_calls_secret_is_secret_in_all_of_it(value: dict[str, str]) -> None:
    """And has one number, whichever of its places was met first."""
    redaction = Redaction()
    texts = [text for key, text in value.items() if key != "x" and len(text.strip()) >= MIN_SECRET]
    made = redaction.encoded({"before": [f"Bearer {text}" for text in texts], "value": value, "after": texts})
    assert [each.removeprefix("Bearer ").strip() for each in made["before"]] == made["after"]
    for key, text in value.items():
        if key != "x" and text.strip():
            assert made["value"][key] == redaction.mark(text)


@pytest.mark.parametrize("word", ["password", "Token", "api_key"])
def test_a_password_that_is_one_of_the_words_hides_no_key(word: str) -> None:
    """Everything would be unreadable; as a whole text it is hidden."""
    redaction = Redaction()
    redaction.learn([word])
    assert redaction.of_value({word.lower(): None, "user": word}) == {word.lower(): None, "user": redaction.mark(word)}
    assert redaction.of_text(f"no {word} given") == f"no {word} given"


def test_yaml_does_not_break_a_secret_apart() -> None:
    """What is written as YAML is hidden before it is folded."""
    secret = "correct horse battery staple " * 6
    redaction = Redaction()
    redaction.learn([secret])
    assert "battery" not in yaml.safe_dump(redaction.of_value({"a": f"x {secret} y"}))
