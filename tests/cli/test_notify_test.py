"""`notify-test`: what is said of each url, and what to do."""

from pathlib import Path

import pytest
from message_servers import closed_port, http_server, silent_server
from terminal import cli

CONFIG = """
port: {port}
hydra:
  callbacks:
    notification_callback:
      urls: ["json://127.0.0.1:${{port}}/tok-1", "${{oc.env:NOTIFY_URL,null}}"]
"""


def test_each_url_is_tried(tmp_path: Path) -> None:
    """Those that are typed, of a variable and of a config; none of them is shown."""
    with http_server() as inbox, http_server(401) as refusing, closed_port() as nobody:
        (tmp_path / "config.yaml").write_text(CONFIG.format(port=inbox.port), "utf-8")
        fine = f"json://127.0.0.1:{inbox.port}/tok-1"
        config = ("--config", tmp_path / "config.yaml")
        done = cli("notify-test", fine, "--env", "MY_URLS", *config, MY_URLS=f"{fine} {fine}", NOTIFY_URL=fine)
        assert (done.code, done.err) == (0, "")
        assert done.out.splitlines() == [f"urls[{place}] json://…: accepted" for place in range(5)]
        assert set(inbox.titles) == {"hydra-callback-kit: test"}
        assert len(inbox.titles) == 5
        mistakes = ["slakc://tok-1", "slack://tok-1", "tok-1", f"json://127.0.0.1:{nobody}/tok-1"]
        done = cli("notify-test", *mistakes, fine, f"json://127.0.0.1:{refusing.port}/tok-1")
    assert done.code == 1
    said = done.out.splitlines()
    assert said[:2] == [
        "urls[0] slakc://…: not accepted: Apprise knows no slakc://",
        "  Did you mean slack://? All services stand at https://appriseit.com/services",
    ]
    assert said[2].startswith("urls[1] slack://…: not accepted: An invalid Slack")
    assert said[4] == "urls[2] …: not accepted: it is no url"
    assert said[6].endswith("Connection refused")
    assert said[8] == "urls[4] json://…: accepted"
    assert "error=401" in said[9]
    assert "tok-1" not in done.out + done.err


def test_who_does_not_answer_is_not_waited_for() -> None:
    """Nor for what still hangs as the command ends."""
    with silent_server() as port:
        done = cli("notify-test", f"json://127.0.0.1:{port}", "--timeout", "0.5")
    assert done.code == 1
    assert done.out.startswith("urls[0] json://…: not accepted: no answer in time\n  Can this machine reach")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "There is no url. Say where they stand"),
        (["--env", "NOT_SET"], "The environment variable NOT_SET is not set, or empty."),
        (["json://h", "--timeout", "0"], "--timeout 0 is not valid"),
        (["--config", "none.yaml"], "sets no urls of notification_callback"),
        (["--config", "unknown.yaml"], "the urls of notification_callback are not known here"),
        (["--config", "broken.yaml"], "cannot be read as a config"),
    ],
)
def test_a_wrong_use(tmp_path: Path, arguments: list[str], said: str) -> None:
    """Says what to type."""
    (tmp_path / "none.yaml").write_text("a: {b: null}", "utf-8")
    (tmp_path / "unknown.yaml").write_text("notification_callback: {urls: '${oc.env:NOT_SET}'}", "utf-8")
    (tmp_path / "broken.yaml").write_text("a: [", "utf-8")
    done = cli("notify-test", *arguments, cwd=tmp_path)
    assert done.code == 2
    assert said in " ".join(done.err.split())
