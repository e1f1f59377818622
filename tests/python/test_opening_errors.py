"""A database that can't be opened: the class of sqlite3's error, the path in its words, no file and no thread left behind.

That no thread and no open file is left is looked at behind every test, by a fixture.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import aioturso
import aioturso.lib
import pytest
from sleeping import time_awake


def absent_directory(folder: Path) -> Path:
    return folder / "absent" / "file.db"


def directory(folder: Path) -> Path:
    (folder / "directory").mkdir()
    return folder / "directory"


def below_a_file(folder: Path) -> Path:
    (folder / "file").write_text("no directory")
    return folder / "file" / "file.db"


def no_database(folder: Path) -> Path:
    (folder / "text.db").write_text("This is no database. " * 500)
    return folder / "text.db"


def short_file(folder: Path) -> Path:
    (folder / "short.db").write_text("short")
    return folder / "short.db"


def damaged_header(folder: Path) -> Path:
    connection = sqlite3.connect(folder / "damaged.db")
    connection.execute("CREATE TABLE t (a)")
    connection.commit()
    connection.close()
    content = bytearray((folder / "damaged.db").read_bytes())
    content[:4] = b"XXXX"
    (folder / "damaged.db").write_bytes(content)
    return folder / "damaged.db"


PLACES = [absent_directory, directory, below_a_file, no_database, short_file, damaged_header]


def content_of(folder: Path) -> dict[str, bytes | None]:
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def failure(module: ModuleType, place: Any) -> BaseException:
    """sqlite3 looks at the file with the first statement."""
    try:
        connection = module.connect(place)
        try:
            connection.execute("SELECT * FROM sqlite_master")
        finally:
            connection.close()
    except Exception as error:
        return error
    raise AssertionError("it was opened")


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
def test_the_error_is_of_the_class_of_sqlite3_and_names_the_path(place: Callable[[Path], Path], tmp_path: Path) -> None:
    path = place(tmp_path)
    before = content_of(tmp_path)
    expected = failure(sqlite3, path)
    assert content_of(tmp_path) == before
    with pytest.raises(Exception) as caught:
        aioturso.lib.connect(path)
    assert type(caught.value).__name__ == type(expected).__name__, (caught.value, expected)
    if isinstance(expected, sqlite3.Error):
        assert str(path) in str(caught.value)
    assert content_of(tmp_path) == before


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
async def test_the_asyncio_side_raises_the_same(place: Callable[[Path], Path], tmp_path: Path) -> None:
    path = place(tmp_path)
    before = content_of(tmp_path)
    with pytest.raises(Exception) as expected:
        aioturso.lib.connect(path)
    with pytest.raises(type(expected.value)) as caught:
        await aioturso.connect(path)
    assert str(caught.value) == str(expected.value)
    assert content_of(tmp_path) == before


def test_a_path_with_a_nul_is_an_error_with_the_path(tmp_path: Path) -> None:
    """A `ValueError` in sqlite3, which looks for it before the system does."""
    with pytest.raises(aioturso.OperationalError, match="unable to open database file"):
        aioturso.lib.connect(tmp_path / "a\0b.db")
    assert content_of(tmp_path) == {}


@pytest.mark.parametrize("path", [5, None, 1.5])
def test_what_is_no_path_is_a_type_error(path: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TypeError):
        aioturso.lib.connect(path)
    assert content_of(tmp_path) == {}


WITHOUT_RIGHTS = """
    import os, sqlite3, sys
    import aioturso.lib

    folder = sys.argv[1]
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    for module in (sqlite3, aioturso.lib):
        for name in ("secret.db", "closed/file.db", "closed/new.db", "guarded/new.db"):
            path = os.path.join(folder, name)
            try:
                connection = module.connect(path)
                connection.execute("SELECT * FROM sqlite_master")
            except Exception as error:
                print(type(error).__name__, getattr(error, "sqlite_errorname", None), path in str(error))
            else:
                print("opened")
                connection.close()
"""


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="there are no such rights")
def test_no_permission_is_told_with_the_path() -> None:
    # Nothing is refused to the superuser, whose program becomes somebody else; so it is not in the folder of the test, which
    # is its user's alone.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        for inner in ("closed", "guarded"):
            (folder / inner).mkdir()
        for file in ("secret.db", "closed/file.db"):
            aioturso.lib.connect(folder / file).close()
            (folder / file).touch()
        before = content_of(folder)
        rights = {"secret.db": 0o000, "closed": 0o000, "guarded": 0o555}
        for place, mode in rights.items():
            (folder / place).chmod(mode)
        finished = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(WITHOUT_RIGHTS), name], capture_output=True, text=True, check=False
        )
        for place in rights:
            (folder / place).chmod(0o700)
        assert finished.stderr == ""
        lines = finished.stdout.splitlines()
        expected, seen = lines[:4], lines[4:]
        if sys.version_info >= (3, 11):
            assert [line.split()[:2] for line in seen] == [line.split()[:2] for line in expected]
        assert [line.split()[0] for line in expected] == ["OperationalError"] * 4
        assert [line.split()[:2] for line in seen] == [["OperationalError", "SQLITE_CANTOPEN"]] * 4
        assert [line.split()[2] for line in seen] == ["True"] * 4
        assert content_of(folder) == before


@contextmanager
def held_by_another_process(program: str, path: str) -> Iterator[subprocess.Popen[str]]:
    """Runs a program that prints a line when it holds the file, and lets it go when its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        if not process.stdin.closed:
            process.stdin.close()
        process.wait(30)
        process.stdout.close()


HOLD_WITH_AIOTURSO = """
    import sys, aioturso.lib
    connection = aioturso.lib.connect(sys.argv[1])
    connection.execute("CREATE TABLE IF NOT EXISTS t (a)")
    print("held", flush=True)
    sys.stdin.read()
    connection.close()
"""


def test_a_file_that_another_process_has_open_is_locked(path: str) -> None:
    with held_by_another_process(HOLD_WITH_AIOTURSO, path):
        files = sorted(os.listdir(os.path.dirname(path)))
        begin, awake = time.monotonic(), time_awake()
        with pytest.raises(aioturso.OperationalError, match="database is locked") as caught:
            aioturso.lib.connect(path, timeout=0.4)
        waited, awake = time.monotonic() - begin, time_awake() - awake
        assert path in str(caught.value)
        assert (caught.value.sqlite_errorcode, caught.value.sqlite_errorname) == (5, "SQLITE_BUSY")
        assert 0.35 < waited < 5
        assert awake < 0.9 * waited, "it spun"
        begin = time.monotonic()
        with pytest.raises(aioturso.OperationalError, match="database is locked"):
            aioturso.lib.connect(path, timeout=0)
        assert time.monotonic() - begin < 0.3
        assert sorted(os.listdir(os.path.dirname(path))) == files
    connection = aioturso.lib.connect(path, timeout=5)
    assert connection.execute("SELECT * FROM t").fetchall() == []
    connection.close()


OPEN_AT_THE_SAME_TIME = """
    import sys, time, aioturso.lib
    print("held", flush=True)
    for line in sys.stdin:
        path, begin = line.split()
        while time.time() < float(begin):
            pass
        try:
            connection = aioturso.lib.connect(path, timeout=0)
        except aioturso.lib.OperationalError as error:
            print(error.sqlite_errorname, flush=True)
            time.sleep(0.01)
            continue
        # The other one has given up by now.
        time.sleep(0.05)
        connection.executescript("CREATE TABLE t (a); INSERT INTO t VALUES (1)")
        connection.close()
        print("committed", flush=True)
"""


def test_an_open_that_fails_takes_no_file_from_another_process(tmp_path: Path) -> None:
    """Bug: of two processes that make a new file, the one that fails removes the other's, since it is empty, with all that is committed
    to it later.
    """
    with (
        held_by_another_process(OPEN_AT_THE_SAME_TIME, "") as first,
        held_by_another_process(OPEN_AT_THE_SAME_TIME, "") as second,
    ):
        for number in range(40):
            path = tmp_path / f"{number}.db"
            outcomes: list[str] = []
            begin = time.time() + 0.02
            for process in (first, second):
                assert process.stdin is not None
                print(path, begin, file=process.stdin, flush=True)
            for process in (first, second):
                assert process.stdout is not None
                outcomes.append(process.stdout.readline().strip())
            assert set(outcomes) <= {"committed", "SQLITE_BUSY"}
            if "committed" in outcomes:
                with aioturso.lib.connect(path, timeout=5) as connection:
                    assert connection.execute("SELECT a FROM t").fetchone() == (1,)
                connection.close()


@pytest.mark.parametrize(
    ("cipher", "hexkey"), [("none", "00" * 32), ("aegis256", "zz"), ("aegis256", "00" * 16), ("aes128gcm", "00" * 32)]
)
def test_a_key_that_does_not_fit_makes_no_file(tmp_path: Path, cipher: str, hexkey: str) -> None:
    """Bug: an empty file is made before the key is looked at; or removed again, though another one may have it open by then."""
    path = tmp_path / "new.db"
    with pytest.raises(aioturso.Error):
        aioturso.lib.connect(path, encryption=(cipher, hexkey))
    assert list(tmp_path.iterdir()) == []
    path.touch()
    with pytest.raises(aioturso.Error):
        aioturso.lib.connect(path, encryption=(cipher, hexkey))
    assert list(tmp_path.iterdir()) == [path]


def test_an_open_that_fails_leaves_a_link_to_nothing(tmp_path: Path) -> None:
    """Bug: a link whose target is not there is taken for a file that was made for the open, and is removed."""
    link, target = tmp_path / "link.db", tmp_path / "target.db"
    link.symlink_to(target)
    with pytest.raises(aioturso.Error):
        aioturso.lib.connect(link, encryption=("aegis256", "zz"))
    assert link.is_symlink()


async def test_a_locked_file_is_waited_for_beside_the_loop(path: str) -> None:
    import asyncio

    with held_by_another_process(HOLD_WITH_AIOTURSO, path) as process:
        ticks = 0
        opening = asyncio.ensure_future(aioturso.connect(path, timeout=20).__aenter__())
        while ticks < 20:
            await asyncio.sleep(0.01)
            ticks += 1
        assert not opening.done()
        assert process.stdin is not None
        process.stdin.close()
        connection = await opening
        assert await (await connection.execute("SELECT * FROM t")).fetchall() == []
        await connection.close()


HOLD_WITH_SQLITE3 = """
    import sys, sqlite3
    connection = sqlite3.connect(sys.argv[1], isolation_level=None)
    connection.execute("CREATE TABLE t (a)")
    connection.execute("BEGIN EXCLUSIVE")
    print("held", flush=True)
    sys.stdin.read()
    connection.close()
"""


def test_a_file_that_sqlite_holds_is_locked(path: str) -> None:
    with held_by_another_process(HOLD_WITH_SQLITE3, path):
        with pytest.raises(aioturso.OperationalError) as caught:
            aioturso.lib.connect(path, timeout=0.1)
        assert path in str(caught.value)


def test_an_open_that_failed_is_no_hindrance_to_the_next(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file.db"
    for _ in range(3):
        with pytest.raises(aioturso.OperationalError):
            aioturso.lib.connect(path)
    path.parent.mkdir()
    connection = aioturso.lib.connect(path)
    connection.execute("CREATE TABLE t (a)")
    connection.close()
    assert path.is_file()
