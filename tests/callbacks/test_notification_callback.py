"""The parameters of `notification_callback`, what workers get of it, and where in a config its urls are found."""

import pickle
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from hydra_callback_kit import NotificationCallback, ParameterError
from hydra_callback_kit.configs.callback_urls import hide_urls, urls_in
from hydra_callback_kit.trackers.apprise_library import hidden
from hydra_callback_kit.trackers.apprise_library import urls_in as urls_in_text
from hydra_callback_kit.views.message_template import FIELDS

URL = "json://127.0.0.1/tok-1"


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"events": ["ends"]}, "events='ends' is not valid: .* Write events=[end]."),
        ({"template": "{statsu}"}, "template='statsu' is not valid: .* Write template='{status}'."),
        ({"template": "{app.__class__}"}, "template='app.__class__' is not valid"),
        ({"template": "{app!r}"}, "nothing behind its name"),
        ({"template": "{app:>10}"}, "nothing behind its name"),
        ({"template": "{app"}, "a text with names in braces"),
        ({"template": "{}"}, "template='' is not valid"),
        ({"timeout_s": 0}, "timeout_s=0 is not valid"),
        ({"min_interval_s": "soon"}, "min_interval_s='soon' is not valid"),
        ({"urls": 3}, "urls='…' is not valid"),
        ({"urls": [{"a": URL}]}, "urls='…' is not valid"),
        ({"urls": [URL, "tok-1"]}, "urls[1]='…' is not valid"),
    ],
)
def test_what_is_wrong_is_said(parameters: dict[str, object], said: str) -> None:
    """With the key, and with what to write; never with a url."""
    with pytest.raises(ParameterError, match=re.escape(said).replace(r"\ \.\*\ ", " .* ")) as error:
        NotificationCallback(**parameters)
    assert "tok-1" not in str(error.value)


def test_urls_in_every_form() -> None:
    """One, several in a text, a list; what is null or blank is left out."""
    assert NotificationCallback(f" {URL} ").urls == [URL]
    assert NotificationCallback(f"{URL}\n  xml://h/a b").urls == [URL, "xml://h/a b"]
    assert NotificationCallback([None, "", URL]).urls == [URL]
    assert NotificationCallback(None).urls == []


def test_workers_get_no_urls() -> None:
    """They need none, and launchers keep on disk what workers get."""
    callback = NotificationCallback([URL])
    assert b"tok-1" not in pickle.dumps(callback)
    assert pickle.loads(pickle.dumps(callback)).urls == []
    assert callback.urls == [URL]


@given(st.text(max_size=50) | st.lists(st.sampled_from(["{", "}", *FIELDS, ".", "[0]", "!r", ":"]), max_size=8).map("".join))
def test_a_template_is_taken_or_refused(template: str) -> None:
    """With one error; what is taken can be filled in, with nothing looked up in a value."""
    try:
        callback = NotificationCallback(template=template)
    except ParameterError:
        return
    assert callback.template is not None
    assert set(callback.template.format_map(dict.fromkeys(FIELDS, "~"))) - {"~"} <= set(template)


@given(st.text("abcXYZ019-_%", min_size=3), st.text("abcXYZ019-_%", min_size=3), st.text("abc", max_size=3))
def test_no_part_of_a_url_is_left_in_an_error(first: str, second: str, said: str) -> None:
    """A service may quote any of it."""
    url = f"slack://{first}:{second}@host.example/{first}?to={second}"
    text = hidden(url, f"{said}{first} {second}/{first} host.example '{url}'")
    assert not any(part in text for part in (first, second, "host.example"))


def test_urls_of_a_text() -> None:
    """A name in a url may hold a space; what follows it is no other url."""
    assert urls_in_text("a://b?name=My App  c+d://e") == ["a://b?name=My App", "c+d://e"]
    assert urls_in_text("  ") == []


def test_urls_are_found_and_hidden_wherever_callbacks_stand() -> None:
    """Also in those that another callback wraps; an interpolation stays as it is, and so does what is no callback's."""
    wrapped = {"inner": {"urls": ["a://secret-1", "${app}"]}}
    callbacks = {"wraps": {"callbacks": wrapped}, "single": {"urls": "b://secret-2"}, "none": {"urls": None}, "odd": None}
    overrides = ["hydra.callbacks.single.urls='b://secret-2'", "hydra.callbacks.x.urls=[b://secret-2]", "hydra.verbose=true"]
    given = {
        "app": "c://secret-3",
        "urls": ["d://not-ours"],
        "hydra": {"callbacks": callbacks, "overrides": {"hydra": overrides}},
    }
    config = OmegaConf.create(given)
    OmegaConf.set_readonly(config, value=True)
    assert sorted(set(urls_in(config))) == ["a://secret-1", "b://secret-2", "c://secret-3"]
    hide_urls(config, lambda text: re.sub(r"\w://secret-\d", "<redacted 1>", text))
    assert config.hydra.callbacks.wraps.callbacks.inner.urls[0] == "<redacted 1>"
    assert OmegaConf.to_container(config)["hydra"]["callbacks"]["wraps"]["callbacks"]["inner"]["urls"][1] == "${app}"
    assert config.hydra.callbacks.single.urls == "<redacted 1>"
    assert config.hydra.overrides.hydra == [
        "hydra.callbacks.single.urls='redacted'",
        "hydra.callbacks.x.urls=[redacted]",
        "hydra.verbose=true",
    ]
    assert config.urls == ["d://not-ours"]
    assert OmegaConf.is_readonly(config)
