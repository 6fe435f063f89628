"""As much of a W&B server as its client asks for: which runs there are, what was sent of each, and how they ended."""

import contextlib
import gzip
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class SentRun:
    """A run as it was sent."""

    config: dict[str, Any] = field(default_factory=dict)
    group: str | None = None
    rows: list[dict[str, Any]] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)
    exit_code: int | None = None


@dataclass
class WandbServer:
    """A server on the loopback interface."""

    uri: str
    runs: dict[str, SentRun] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    """The operations that were asked for."""

    def environment(self) -> dict[str, str]:
        """What leads W&B here."""
        return {"WANDB_MODE": "online", "WANDB_BASE_URL": self.uri, "WANDB_API_KEY": "0123456789" * 4}

    def answer(self, said: dict[str, Any]) -> dict[str, Any]:
        """Answers a request in GraphQL."""
        query, variables = said.get("query", ""), said.get("variables") or {}
        found = re.search(r"(?:query|mutation)\s+(\w+)", query)
        name = found[1] if found else "?"
        self.seen.append(name)
        if name == "RunResumeStatus":
            known = self.runs.get(variables["name"])
            return {
                "model": {
                    "id": "p",
                    "name": "study",
                    "entity": {"id": "e", "name": "me"},
                    "bucket": known and _resumed(variables["name"], known),
                }
            }
        if name == "UpsertBucket":
            run = self.runs.setdefault(variables["name"], SentRun())
            run.exit_code = None
            run.group = variables.get("groupName") or run.group
            run.config.update({key: item.get("value") for key, item in json.loads(variables.get("config") or "{}").items()})
            bucket = {
                "id": "id",
                "name": variables["name"],
                "displayName": variables.get("displayName"),
                "description": "",
                "config": "{}",
                "sweepName": None,
                "project": {"id": "p", "name": "study", "entity": {"id": "e", "name": "me"}},
                "historyLineCount": len(run.rows),
            }
            return {"upsertBucket": {"bucket": bucket, "inserted": True}}
        if name == "CreateRunFiles":
            files = [{"name": file, "uploadUrl": f"{self.uri}/upload"} for file in variables["files"]]
            return {"createRunFiles": {"runID": "id", "uploadHeaders": [], "files": files}}
        viewer = {
            "id": "u",
            "entity": "me",
            "username": "me",
            "email": "me@example.org",
            "admin": False,
            "flags": "{}",
            "teams": {"edges": []},
        }
        return {
            "viewer": viewer,
            "serverInfo": {"features": [], "cliVersionInfo": {"max_cli_version": "9"}, "latestLocalVersionInfo": None},
        }

    def stream(self, run_id: str, said: dict[str, Any]) -> None:
        """Takes what a run sends of its history, its summary and its end."""
        run = self.runs[run_id]
        for name, part in (said.get("files") or {}).items():
            lines = (
                [json.loads(line) for line in part["content"]]
                if name in ("wandb-history.jsonl", "wandb-summary.json")
                else []
            )
            if name == "wandb-history.jsonl":
                run.rows[part["offset"] :] = lines
            for line in lines if name == "wandb-summary.json" else ():
                run.summary = line
        if said.get("complete"):
            run.exit_code = said.get("exitcode")


def _resumed(run_id: str, run: SentRun) -> dict[str, Any]:
    return {
        **dict.fromkeys(("id", "name", "displayName"), run_id),
        "description": "",
        "config": json.dumps({key: {"value": value} for key, value in run.config.items()}),
        "summaryMetrics": json.dumps(run.summary),
        "historyLineCount": len(run.rows),
        "historyTail": json.dumps([json.dumps(row) for row in run.rows[-1:]]),
        **dict.fromkeys(("eventsLineCount", "logLineCount"), 0),
        "eventsTail": "[]",
        "tags": [],
        "wandbConfig": json.dumps({"t": 1}),
    }


class _Handler(BaseHTTPRequestHandler):
    """Answers whatever W&B's client asks."""

    def do_GET(self) -> None:
        """Somebody asks whether anybody is there, or wants it to be over."""
        self._say({})
        if self.path == "/die":
            threading.Thread(target=_end, args=[self.server]).start()

    def do_PUT(self) -> None:
        """A file."""
        self._read()
        self._say({})

    def do_POST(self) -> None:
        """A question, or a part of a run."""
        data, server = self._read(), _served[self.server.server_port]
        if self.path.endswith("/graphql"):
            self._say({"data": server.answer(json.loads(data))})
            return
        if streamed := re.search(r"/files/[^/]+/[^/]+/([^/]+)/file_stream", self.path):
            server.stream(streamed[1], json.loads(data))
        self._say({})

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  its own name
        """Says nothing."""

    def _read(self) -> bytes:
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return gzip.decompress(data) if self.headers.get("Content-Encoding") == "gzip" else data

    def _say(self, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


_served: dict[int, WandbServer] = {}


def _end(listening: Any) -> None:
    listening.shutdown()
    listening.server_close()


@contextlib.contextmanager
def wandb_server(port: int = 0) -> Iterator[WandbServer]:
    """Starts a server, and ends it. Without a port it takes any."""
    listening = ThreadingHTTPServer(("127.0.0.1", port), _Handler)
    listening.daemon_threads = True
    server = WandbServer(f"http://127.0.0.1:{listening.server_port}")
    _served[listening.server_port] = server
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        _end(listening)
