"""What a single run costs whose files are sent to a folder, of whose end people are told, or that leaves the terminal."""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from contenders import PROJECT
from harness import Line, Usage, environment, ratios, run, table, temporary_directory, write_app

REPETITIONS = 15


def lines(repetitions: int = REPETITIONS) -> list[Line]:
    """Measures; what is sent goes to a folder and to a server of this process, which take it at once.

    Args:
        repetitions: how often each is run in turn.
    """
    with temporary_directory() as name, a_phone() as port:
        directory = Path(name)
        bare = environment(directory / "bare", "attrs")
        ours = environment(directory / "ours", f"{PROJECT}[notify,upload]", "attrs")
        write_app(directory)
        commands = [[bare, "app.py"]]
        nodes: dict[str, dict[str, Any]] = {
            "upload_callback": {"to": f"file://{directory}/there"},
            "notification_callback": {"urls": [f"json://127.0.0.1:{port}"]},
            "detach_callback": {},
        }
        for option, node in nodes.items():
            config = (directory / "config.yaml").read_text("utf-8")
            head = f"defaults:\n  - callbacks: [{option}]\n  - _self_\n"
            text = f"{head}{config}hydra: {json.dumps({'callbacks': {option: node}})}\n"
            (directory / f"with_{option}.yaml").write_text(text, "utf-8")
            commands.append([ours, "app.py", "--config-name", f"with_{option}"])
        turns = [_turn(commands, directory, number) for number in range(repetitions + 1)][1:]
    of_bare, *others = ([turn[place] for turn in turns] for place in range(len(commands)))
    what = ("upload_callback to a folder", "notification_callback to a server here", "detach_callback, until it is back")
    return [
        Line.of(f"single run, wall time against bare: {name}", ratios(usages, of_bare, "wall_s"), None)
        for name, usages in zip(what, others, strict=True)
    ]


def _turn(commands: list[list[str]], directory: Path, number: int) -> list[Usage]:
    """Each once; what was detached has ended before the next one begins."""
    usages = []
    for place, command in enumerate(commands):
        out = f"outputs/{number}-{place}"
        usages.append(run([*command, f"hydra.run.dir={out}"], directory))
        if command[-1] == "with_detach_callback":
            attach = [command[0], "-m", "hydra_callback_kit", "attach", out]
            subprocess.run(attach, cwd=directory, check=True, capture_output=True)
    return usages


class _Phone(BaseHTTPRequestHandler):
    """Takes every message."""

    def do_POST(self) -> None:
        """Takes it."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@contextmanager
def a_phone() -> Iterator[int]:
    """The port of a server here."""
    server = HTTPServer(("127.0.0.1", 0), _Phone)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


if __name__ == "__main__":
    print(table(lines()))
