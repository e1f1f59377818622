"""A token, or a key, is told to the server it is for, and to nobody else."""

from __future__ import annotations

import contextlib
import gc
import logging
import warnings
from pathlib import Path
from typing import Any

import pytest
from replicas import Replicas, package
from servers import TestServer, free_port

TOKEN = "SECRET-TOKEN-ey8zQ"
KEY = "U0VDUkVULUtFWS1mb3ItdGhlLXRlc3QtMzItYnl0ZXM="
"""In base64, as the driver wants it."""


FAULTS: dict[str, dict[str, Any]] = {
    "status": {"status": 500},
    "rubbish": {},
    "cut": {"bytes": 3},
    "drop": {},
    "redirect": {"location": "http://127.0.0.1:1"},
}


def told(error: BaseException) -> str:
    """All that an error and those behind it show."""
    shown = []
    current: BaseException | None = error
    while current is not None:
        shown += [str(current), repr(current), repr(current.args), repr(vars(current))]
        current = current.__cause__ or current.__context__
    return "\n".join(shown)


async def test_a_token_is_in_no_error_no_repr_no_log_and_no_file(
    test_server: TestServer,
    replicas: Replicas,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    shown: list[str] = []
    test_server.run("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    test_server.require(TOKEN)
    with warnings.catch_warnings(record=True) as warned, caplog.at_level(logging.DEBUG):
        warnings.simplefilter("always")
        async with replicas.open("a", test_server, auth_token=TOKEN) as replica:
            shown += [repr(replica.connection), str(replica.connection)]
            await replica.run("INSERT INTO t VALUES (1)")
            for kind, details in FAULTS.items():
                for call in (replica.pull, replica.push):
                    test_server.fail(kind, **details)
                    try:
                        await call()
                    except package.Error as error:
                        shown.append(told(error))
                    test_server.be_well()
            test_server.require("another")
            for call in (replica.pull, replica.push):
                with pytest.raises(package.OperationalError) as refused:
                    await call()
                shown.append(told(refused.value))
            test_server.require(TOKEN)
            await replica.push()
            shown.append(repr(await replica.stats()))
        gc.collect()
    shown += [record.getMessage() for record in caplog.records]
    shown += [str(warning.message) for warning in warned]
    shown += capfd.readouterr()
    assert any("500" in text for text in shown), "the errors are among what is looked at"
    assert "SECRET-TOKEN" not in "\n".join(shown)
    assert find_in_files(b"SECRET-TOKEN", tmp_path) == []


@pytest.mark.parametrize("name", ["auth_token", "remote_encryption_key"])
@pytest.mark.parametrize("secret", ["SECRET-TOKEN\n", "SECRET-TOKEN\r\nX: y", "SECRET-TOKEN\x00"])
async def test_a_secret_that_no_header_can_hold_is_refused_with_the_cure(
    test_server: TestServer, replicas: Replicas, name: str, secret: str
) -> None:
    """Bug: the error said "http: failed to parse header value", and not of which."""
    options = {name: secret} if name == "auth_token" else {name: secret, "remote_encryption_cipher": "aes256gcm"}
    with pytest.raises(package.ProgrammingError, match=rf"{name} holds a line break.*strip\(\)") as refused:
        await replicas.connect("a", test_server, **options)
    assert "SECRET-TOKEN" not in told(refused.value)
    assert test_server.requests() == []


async def test_a_redirect_to_another_host_does_not_get_the_token(
    test_server: TestServer, replicas: Replicas, tmp_path: Path
) -> None:
    test_server.run("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    other = TestServer(test_server.program, tmp_path / "server" / "other.db")
    other.start()
    try:
        async with replicas.open("a", test_server, auth_token=TOKEN) as replica:
            # Another name for the same machine is another host.
            elsewhere = f"http://localhost:{other.port}/pull-updates"
            test_server.fail("redirect", "pull", location=elsewhere)
            with contextlib.suppress(package.Error):
                await replica.pull()
            assert len(other.requests()) == 1, "it is followed"
            assert TOKEN not in str(other.requests())
    finally:
        other.kill()


async def test_a_key_is_in_no_error_and_in_no_file(test_server: TestServer, replicas: Replicas, tmp_path: Path) -> None:
    test_server.run("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    shown: list[str] = []
    options: dict[str, Any] = {"remote_encryption_key": KEY, "remote_encryption_cipher": "aes256gcm"}
    try:
        async with replicas.open("a", test_server, **options) as replica:
            shown += [repr(replica.connection)]
            test_server.fail("status", status=500, body="no")
            with pytest.raises(package.OperationalError) as failed:
                await replica.pull()
            shown.append(told(failed.value))
    except package.Error as error:
        shown.append(told(error))
    sent = [request["headers"] for request in test_server.requests()]
    assert any(KEY in headers.values() for headers in sent), "the server is told"
    assert KEY not in "\n".join(shown)
    assert find_in_files(KEY.encode(), tmp_path) == []


@pytest.mark.parametrize(
    "url", ["http://user:SECRET-TOKEN@127.0.0.1:{port}", "http://127.0.0.1:{port}/?key=SECRET-TOKEN"]
)
async def test_what_a_url_carries_is_not_shown(replicas: Replicas, url: str) -> None:
    with pytest.raises(package.Error) as failed:
        await replicas.connect("a", url.format(port=free_port()))
    assert "SECRET-TOKEN" not in told(failed.value)


def find_in_files(secret: bytes, folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and secret in path.read_bytes()]
