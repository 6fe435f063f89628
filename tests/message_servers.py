"""Real servers that messages go to, in threads of the test's process."""

import contextlib
import http.server
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import Any

from aiosmtpd.controller import Controller


@dataclass
class Inbox:
    """What a server has been sent.

    Attributes:
        port: where it listens, on 127.0.0.1.
        messages: by HTTP the JSON bodies, by SMTP the mails.
        paths: the paths that were asked for.
    """

    port: int = 0
    messages: list[Any] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    @property
    def titles(self) -> list[str]:
        """The titles of the messages, in their order."""
        return [message["title"] for message in self.messages]


@contextlib.contextmanager
def http_server(status: int = 200) -> Iterator[Inbox]:
    """A server that answers each message with a status."""
    inbox = Inbox()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            inbox.messages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            inbox.paths.append(self.path)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        inbox.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield inbox
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def silent_server() -> Iterator[int]:
    """A server that takes connections and never answers: its port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@contextlib.contextmanager
def closed_port() -> Iterator[int]:
    """A port where nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@contextlib.contextmanager
def mail_server() -> Iterator[Inbox]:
    """A server that takes mails."""
    inbox = Inbox()

    class Handler:
        async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:  # noqa: N802  as above
            inbox.messages.append(message_from_bytes(envelope.content))
            return "250 OK"

    with closed_port() as port:
        inbox.port = port
    controller = Controller(Handler(), hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield inbox
    finally:
        controller.stop()
