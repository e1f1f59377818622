"""The two servers that the sync driver is tested against: Turso's own, and the one that fails on command.

Both are programs of their own, on a free port, over a database file: they can be killed and started again on the same file
and port. The SQL of a test runs on them past the driver, by the same protocol that a push uses.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

Value: TypeAlias = "int | float | str | bytes | None"

STARTING_TIME = 20.0
"""Seconds until a server that has not answered counts as broken."""

# What the tests say to a server goes to it, whatever the environment says of proxies.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def ask(url: str, body: Any = None, *, method: str | None = None, token: str | None = None) -> Any:
    """Sends JSON, and returns the JSON of the answer; `None` if that is empty."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method)
    if token is not None:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with _opener.open(request, timeout=STARTING_TIME) as response:
            answer = response.read()
    except urllib.error.HTTPError as error:
        with error:
            raise AssertionError(f"{url}: {error.code} {error.read().decode(errors='replace')}") from None
    return json.loads(answer) if answer else None


class Server:
    """A server in a process of its own."""

    pipeline = "/v2/pipeline"

    def __init__(self, program: str, database: Path) -> None:
        self.program = program
        self.database = database
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """What a client is given."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Starts it: on a free port the first time, on the same one after that."""
        raise NotImplementedError

    def kill(self) -> None:
        """Ends it as a power failure would."""
        if self._process is not None:
            process, self._process = self._process, None
            process.send_signal(signal.SIGKILL)
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()

    def restart(self) -> None:
        """Kills it, and starts it again on the same file and port."""
        self.kill()
        self.start()

    def run(self, *statements: str | tuple[str, Sequence[Value]]) -> list[list[tuple[Value, ...]]]:
        """Runs SQL on the server, each statement by itself; returns the rows of each."""
        requests = [
            _as_request(*([statement] if isinstance(statement, str) else statement)) for statement in statements
        ]
        answer = ask(self.url + self.pipeline, {"baton": None, "requests": requests})
        rows: list[list[tuple[Value, ...]]] = []
        for statement, result in zip(statements, answer["results"], strict=True):
            assert result["type"] == "ok", (statement, result)
            rows.append([tuple(map(_from_json, row)) for row in result["response"]["result"]["rows"]])
        return rows

    def rows(self, sql: str, parameters: Sequence[Value] = ()) -> list[tuple[Value, ...]]:
        """Runs one statement on the server; returns its rows."""
        return self.run((sql, parameters))[0]


class RealServer(Server):
    """Turso's own: one connection at a time, no token, no waiting for news."""

    def start(self) -> None:
        if self.port == 0:
            self.port = free_port()
        self._process = subprocess.Popen(
            [self.program, str(self.database), "--sync-server", f"127.0.0.1:{self.port}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + STARTING_TIME
        while True:
            try:
                self.rows("SELECT 1")
                return
            except OSError:
                assert self._process.poll() is None, f"{self.program} has ended with {self._process.returncode}"
                assert time.monotonic() < deadline, f"{self.program} does not answer"
                time.sleep(0.005)


class TestServer(Server):
    """Ours: with a token, waiting for news, and with whatever goes wrong on command."""

    __test__ = False
    pipeline = "/control/pipeline"

    def __init__(self, program: str, database: Path) -> None:
        super().__init__(program, database)
        self._token: str | None = None

    def start(self) -> None:
        command = [self.program, "--until-input-ends", "--listen", f"127.0.0.1:{self.port}", str(self.database)]
        if self._token is not None:
            command += ["--token", self._token]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        line = self._process.stdout.readline().decode()
        assert line.startswith("listening on "), f"{self.program} has not started: {line!r}"
        self.port = int(line.rsplit(":", 1)[1])

    def require(self, token: str | None) -> None:
        """From now on asks for a token, after a restart too; `None` asks for none."""
        self._token = token
        ask(self.url + "/control/token", {"token": token}, method="PUT")

    def fail(
        self, kind: str, endpoint: str | None = None, *, skip: int = 0, times: int | None = 1, **details: Any
    ) -> None:
        """Lets requests go wrong: see `sync-test-server --help`."""
        rule = {"endpoint": endpoint, "skip": skip, "times": times, "fault": {"kind": kind, **details}}
        ask(self.url + "/control/faults", rule)

    def be_well(self) -> None:
        """Forgets all that was to go wrong."""
        ask(self.url + "/control/faults", method="DELETE")

    def counters(self) -> dict[str, int]:
        """What has happened since the start, or since `forget`."""
        counters: dict[str, int] = ask(self.url + "/control/counters")
        return counters

    def requests(self) -> list[dict[str, Any]]:
        """The last requests, the oldest first; `headers` is a dictionary of small names."""
        requests: list[dict[str, Any]] = ask(self.url + "/control/requests")
        return [{**request, "headers": dict(request["headers"])} for request in requests]

    def forget(self) -> None:
        """Forgets the requests and what was counted."""
        ask(self.url + "/control/requests", method="DELETE")

    def wait_for_waiting(self, number: int) -> None:
        """Returns when so many requests wait for news."""
        deadline = time.monotonic() + STARTING_TIME
        while (waiting := self.counters()["waiting"]) != number:
            assert time.monotonic() < deadline, f"{waiting} requests wait for news, not {number}"
            time.sleep(0.002)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def program_of(variable: str) -> str | None:
    """The program that a variable of the environment names, if it does."""
    return os.environ.get(variable) or None


def _as_request(sql: str, parameters: Sequence[Value] = ()) -> dict[str, Any]:
    return {"type": "execute", "stmt": {"sql": sql, "args": [_to_json(value) for value in parameters]}}


def _to_json(value: Value) -> dict[str, Any]:
    match value:
        case None:
            return {"type": "null"}
        case int():
            return {"type": "integer", "value": str(value)}
        case float():
            return {"type": "float", "value": value}
        case str():
            return {"type": "text", "value": value}
        case bytes():
            return {"type": "blob", "base64": base64.b64encode(value).decode().rstrip("=")}


def _from_json(value: dict[str, Any]) -> Value:
    match value["type"]:
        case "null":
            return None
        case "integer":
            return int(value["value"])
        case "float":
            return float(value["value"])
        case "text":
            return str(value["value"])
        case _:
            text = value["base64"]
            return base64.b64decode(text + "=" * (-len(text) % 4))
