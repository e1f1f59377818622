"""An API that is not a database, through the same generator: what it must have, and what it must not."""

from __future__ import annotations

import asyncio
import inspect
import re
from pathlib import Path

import journal_aio
import journal_aio.lib
import pytest

GENERATED = Path(__file__).parents[2] / "examples" / "journal" / "generated"

WORDS_OF_DATABASES = re.compile(
    r"cursor|commit|rollback|row_?factory|text_factory|paramstyle|apilevel|threadsafety|dbapi|db-api|pep.?249"
    r"|lastrowid|rowcount|fetch(one|many|all)|isolation|sql|turso|database",
    re.IGNORECASE,
)


def test_no_word_of_databases_is_in_the_output() -> None:
    found = []
    for file in sorted(GENERATED.rglob("*")):
        if file.suffix in {".py", ".pyi", ".rs", ".json"}:
            text = file.read_text(encoding="utf-8")
            for number, line in enumerate(text.splitlines(), start=1):
                if match := WORDS_OF_DATABASES.search(line):
                    found.append(f"{file.relative_to(GENERATED)}:{number}: {match[0]}: {line.strip()}")
    assert found == []
    assert len(list(GENERATED.rglob("*.py"))) >= 3


def test_the_blocking_side_reads_what_it_wrote(tmp_path: Path) -> None:
    with journal_aio.lib.open(tmp_path / "a.journal") as journal:
        assert journal.append("one") == 0
        assert journal.append_all(["two", "three"]) == 1
        assert (journal.length, journal.path) == (3, (tmp_path / "a.journal").resolve())
        reader = journal.read(1)
        assert next(reader) == (1, "two")
        assert reader.seek(0) is reader
        assert reader.next_entries(2) == [(0, "one"), (1, "two")]
        assert reader.remaining() == [(2, "three")]
        assert reader.next_entry() is None
        assert list(journal.read()) == [(0, "one"), (1, "two"), (2, "three")]
    with pytest.raises(Exception, match="closed"):
        journal.append("four")


async def test_the_asyncio_side_reads_what_it_wrote(tmp_path: Path) -> None:
    async with journal_aio.open(tmp_path / "a.journal") as journal:
        assert await journal.append("one") == 0
        assert await journal.append_all(["two", "three"]) == 1
        assert (journal.length, journal.path) == (3, (tmp_path / "a.journal").resolve())
        reader = await journal.read(1)
        assert await reader.next_entry() == (1, "two")
        assert await reader.seek(0) is reader
        assert await reader.next_entries(2) == [(0, "one"), (1, "two")]
        assert [entry async for entry in reader] == [(2, "three")]
        assert await reader.next_entry() is None
        await journal.flush_to_disk()


async def test_many_entries_are_read_in_chunks_and_none_is_lost(tmp_path: Path) -> None:
    async with journal_aio.open(tmp_path / "a.journal") as journal:
        texts = [f"entry {number}" for number in range(1000)]
        await journal.append_all(texts)
        reader = await journal.read()
        seen = []
        async for _number, text in reader:
            seen.append(text)
            if len(seen) == 100:
                break
        seen.extend(text for _number, text in await reader.next_entries(100))
        seen.extend([text async for _number, text in reader])
        assert seen == texts


async def test_snapshots_are_those_of_the_last_call(tmp_path: Path) -> None:
    """`length` is read without waiting for the worker: it is as the last call that was awaited left it."""
    async with journal_aio.open(tmp_path / "a.journal") as journal:
        assert journal.length == 0
        await asyncio.gather(*(journal.append(str(number)) for number in range(10)))
        assert journal.length == 10


async def test_a_setter_refuses_a_bad_value_at_once(tmp_path: Path) -> None:
    async with journal_aio.open(tmp_path / "a.journal", largest_entry=10) as journal:
        assert journal.largest_entry == 10
        with pytest.raises(ValueError, match="give at least 1"):
            journal.largest_entry = 0
        assert journal.largest_entry == 10
        journal.largest_entry = 5
        assert journal.largest_entry == 5
        with pytest.raises(journal_aio.EntryTooLong):
            await journal.append("123456")


def test_errors_are_the_exceptions_that_the_description_names(tmp_path: Path) -> None:
    assert journal_aio.JournalError.__bases__ == (Exception,)
    for name in ("NotAJournal", "TruncatedJournal", "CorruptEntry", "ChangedElsewhere", "EntryTooLong"):
        assert getattr(journal_aio, name).__bases__ == (journal_aio.JournalError,)
        assert getattr(journal_aio, name) is getattr(journal_aio.lib, name)
    with pytest.raises(journal_aio.JournalError, match="opening"):
        journal_aio.lib.open(tmp_path / "nowhere" / "a.journal")
    (tmp_path / "other").write_text("something else")
    with pytest.raises(journal_aio.NotAJournal):
        journal_aio.lib.open(tmp_path / "other")
    with journal_aio.lib.open(tmp_path / "a.journal") as journal, pytest.raises(IndexError):
        journal.read(1)


async def test_a_damaged_entry_is_raised_at_its_place(tmp_path: Path) -> None:
    path = tmp_path / "a.journal"
    async with journal_aio.open(path) as journal:
        await journal.append_all(["one", "two", "three"])
    data = bytearray(path.read_bytes())
    data[data.index(b"two")] ^= 1
    path.write_bytes(data)
    async with journal_aio.open(path) as journal:
        reader = await journal.read()
        assert await reader.next_entry() == (0, "one")
        with pytest.raises(journal_aio.CorruptEntry, match="entry 1"):
            await reader.next_entry()


async def test_a_failed_open_is_raised_where_it_is_awaited(tmp_path: Path) -> None:
    opening = journal_aio.open(tmp_path / "a.journal", create=False)
    with pytest.raises(journal_aio.JournalError):
        await opening
    assert list(tmp_path.iterdir()) == []


async def test_leaving_the_context_closes(tmp_path: Path) -> None:
    async with journal_aio.open(tmp_path / "a.journal") as journal:
        await journal.append("one")
    with pytest.raises(Exception, match="closed"):
        await journal.append("two")


def test_both_sides_say_the_same() -> None:
    for name in ("Journal", "Reader"):
        blocking, asynchronous = getattr(journal_aio.lib, name), getattr(journal_aio, name)
        for member in (member for member in dir(blocking) if not member.startswith("_")):
            documentation = inspect.getdoc(getattr(blocking, member))
            assert documentation and documentation in (inspect.getdoc(getattr(asynchronous, member)) or ""), member


def test_what_is_skipped_is_on_neither_side() -> None:
    assert not hasattr(journal_aio.Journal, "into_file") and not hasattr(journal_aio.lib.Journal, "into_file")
