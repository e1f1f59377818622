"""What the threads are called and what is logged: enough to find a connection again, nothing that is nobody's business."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import threading
from pathlib import Path
from typing import Any

import aioturso
import pytest

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


def names(before: list[threading.Thread]) -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread not in before]


async def test_a_thread_is_named_after_its_connection(tmp_path: Path) -> None:
    """Bugs: a thousand threads with one name; a folder, or a key in a URI, in every stack that is dumped."""
    before = threading.enumerate()
    folder = tmp_path / "private"
    folder.mkdir()
    cases: list[tuple[Any, dict[str, Any], str]] = [
        (str(folder / "books.db"), {}, "books.db"),
        (folder / "path.db", {}, "path.db"),
        (f"file:{folder}/uri.db?mode=rwc&secret=1#secret", {"uri": True}, "uri.db"),
        (":memory:", {}, ":memory:"),
        ("", {}, "Connection"),
        (folder / ("long" * 20), {}, ("long" * 20)[:39] + "…"),
        (os.fspath(folder / "two\nlines\x1b.db"), {}, "two?lines?.db"),
    ]
    numbers = []
    for database, options, expected in cases:
        async with aioturso.connect(database, **options) as connection:
            (name,) = names(before)
            found = re.fullmatch(r"aioturso-(\d+) (.+)", name)
            assert found is not None and found[2] == expected, name
            assert "private" not in name and "secret" not in name
            numbers.append(int(found[1]))
            assert threading.main_thread() in before
            await connection.execute("SELECT 1")
    assert numbers == sorted(set(numbers))


async def test_cancelling_and_closing_log_nothing_that_anybody_sees(
    path: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Bugs: InvalidStateError in the log for every timeout; SQL with somebody's data in it."""
    caplog.set_level(logging.DEBUG)
    async with aioturso.connect(path) as connection:
        await connection.execute("CREATE TABLE secret (a)")
        await connection.commit()
        for seconds in (0, 0.001, 0.05):
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(connection.execute_fetchall(ENDLESS), seconds)
        with pytest.raises(aioturso.OperationalError):
            await connection.execute("INSERT INTO nowhere VALUES ('secret')")
        with pytest.raises(ZeroDivisionError):
            async with connection.transaction():
                await connection.execute("INSERT INTO secret VALUES (1)")
                raise ZeroDivisionError
        tasks = []
        async with connection.transaction():
            outside = asyncio.get_running_loop().create_task
            tasks += [outside(connection.execute("SELECT 1")), outside(connection.execute_fetchall(ENDLESS))]
            await asyncio.sleep(0.01)
            for task in tasks:
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0.01)
    ours = [record for record in caplog.records if record.name != "asyncio"]
    assert [(record.name, record.levelno) for record in ours] == [("aioturso", logging.DEBUG)] * 2
    opened, ended = (record.getMessage() for record in ours)
    assert re.fullmatch(r"aioturso-\d+ test\.db: opened", opened)
    assert ended == opened.replace("opened", "ended")
    assert [record for record in caplog.records if record.levelno > logging.DEBUG] == []


async def test_an_end_that_nobody_waits_for_logs_its_error(
    path: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bug: a COMMIT fails behind a task that was cancelled, and nobody ever hears of it."""
    async with aioturso.connect(path) as connection:
        failing = connection.transaction()
        await failing.__aenter__()

        def fails(_transaction: object) -> None:
            raise aioturso.OperationalError("the disk is full")

        monkeypatch.setattr(type(failing), "_commit", fails)
        leaving = asyncio.create_task(failing.__aexit__(None, None, None))
        await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        await connection.rollback()
        await asyncio.sleep(0)
    assert [record.levelno for record in caplog.records if record.name == "aioturso"] == [logging.ERROR]
    assert "the disk is full" in caplog.text


def test_a_handler_that_is_missing_prints_nothing(tmp_path: Path) -> None:
    """Bug: a library that logs at a level which Python prints to stderr without being asked."""
    import subprocess
    import sys

    program = (
        "import asyncio, aioturso\n"
        "async def main():\n"
        "    async with aioturso.connect('a.db') as connection:\n"
        "        try: await asyncio.wait_for(connection.execute_fetchall(\n"
        f"            {ENDLESS!r}), 0.05)\n"
        "        except asyncio.TimeoutError: pass\n"
        "asyncio.run(main())\n"
    )
    finished = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "", "")
