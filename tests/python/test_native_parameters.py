"""What the native module makes of Python objects, by the rules of `sqlite3`. The words of the errors are those of 3.11."""

from __future__ import annotations

import enum
from collections import ChainMap, OrderedDict, UserList
from collections.abc import Iterator
from typing import Any

import aioturso.lib
import pytest


class Number(int):
    pass


class Text(str):
    __slots__ = ()


class Measure(float):
    pass


class Level(enum.IntEnum):
    LOW = 1


class Doubling(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return key * 2


class Sized:
    """A sequence by its two methods alone, as `sqlite3` takes it."""

    def __len__(self) -> int:
        return 2

    def __getitem__(self, position: int) -> int:
        return [5, 6][position]


@pytest.fixture
def connection() -> Iterator[aioturso.lib.Connection]:
    connection = aioturso.lib.connect(":memory:")
    yield connection
    connection.close()


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (True, 1),
        (Number(7), 7),
        (Level.LOW, 1),
        (Text("seven"), "seven"),
        (Measure(1.5), 1.5),
        (float("nan"), None),
        (float("inf"), float("inf")),
        (bytearray(b"abc"), b"abc"),
        (memoryview(b"abc"), b"abc"),
        ("a\0b", "a\0b"),
    ],
    ids=repr,
)
def test_a_value_is_bound_as_sqlite3_binds_it(connection: aioturso.lib.Connection, value: Any, read: Any) -> None:
    assert connection.execute("SELECT ?", (value,)).fetchone() == (read,)
    assert type(connection.execute("SELECT ?", (value,)).fetchall()[0][0]) is type(read)


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 10**30])
def test_an_integer_beyond_64_bits_is_no_float_in_silence(connection: aioturso.lib.Connection, value: int) -> None:
    with pytest.raises(OverflowError, match="Python int too large to convert to SQLite INTEGER"):
        connection.execute("SELECT ?", (value,))


def test_half_of_a_surrogate_pair_is_refused(connection: aioturso.lib.Connection) -> None:
    with pytest.raises(UnicodeEncodeError):
        connection.execute("SELECT ?", ("\ud800",))
    with pytest.raises(UnicodeEncodeError):
        connection.execute("SELECT '\ud800'")


def test_an_unsupported_type_is_named_with_its_place(connection: aioturso.lib.Connection) -> None:
    with pytest.raises(
        aioturso.lib.ProgrammingError, match=r"Error binding parameter 2: type 'complex' is not supported"
    ):
        connection.execute("SELECT ?, ?", (1, 1j))
    with pytest.raises(
        aioturso.lib.ProgrammingError, match=r"Error binding parameter 2: type 'complex' is not supported"
    ):
        connection.execute("SELECT :a, :b", {"b": 1j, "a": 1})


@pytest.mark.parametrize("parameters", [[1, 2], (1, 2), range(1, 3), UserList([1, 2])], ids=repr)
def test_any_sequence_is_bound_by_position(connection: aioturso.lib.Connection, parameters: Any) -> None:
    assert connection.execute("SELECT ?, ?", parameters).fetchone() == (1, 2)


def test_an_object_with_a_length_and_items_is_a_sequence(connection: aioturso.lib.Connection) -> None:
    parameters: Any = Sized()
    assert connection.execute("SELECT ?, ?", parameters).fetchone() == (5, 6)


@pytest.mark.parametrize("parameters", [5, {1}, iter([1]), object()], ids=lambda value: type(value).__name__)
def test_what_is_neither_sequence_nor_mapping_is_refused(connection: aioturso.lib.Connection, parameters: Any) -> None:
    with pytest.raises(aioturso.lib.ProgrammingError, match="parameters are of unsupported type"):
        connection.execute("SELECT ?", parameters)


@pytest.mark.parametrize(
    "parameters",
    [{"a": 1, "b": 2}, OrderedDict(b=2, a=1), ChainMap({"a": 1}, {"b": 2})],
    ids=lambda value: type(value).__name__,
)
def test_any_mapping_is_bound_by_name(connection: aioturso.lib.Connection, parameters: Any) -> None:
    assert connection.execute("SELECT :a, @b, $a", parameters).fetchone() == (1, 2, 1)


def test_what_a_dictionary_holds_besides_is_not_looked_at(connection: aioturso.lib.Connection) -> None:
    parameters: Any = {"a": 1, "self": object(), 5: 5, "large": 2**70}
    assert connection.execute("SELECT :a", parameters).fetchone() == (1,)


def test_a_dictionary_is_asked_for_what_it_does_not_hold(connection: aioturso.lib.Connection) -> None:
    assert connection.execute("SELECT :a, :bc", Doubling(a=1)).fetchone() == (1, "bcbc")
    connection.execute("CREATE TABLE t (v)")
    connection.executemany("INSERT INTO t VALUES (:x)", [Doubling(), {"x": "plain"}])
    assert connection.execute("SELECT v FROM t").fetchall() == [("xx",), ("plain",)]


def test_a_dictionary_that_is_asked_may_use_the_connection(connection: aioturso.lib.Connection) -> None:
    class Asking(dict[str, Any]):
        def __missing__(self, key: str) -> Any:
            return connection.execute("SELECT ?", (key,)).fetchone()[0]

    assert connection.execute("SELECT :one", Asking()).fetchone() == ("one",)


def test_an_absent_name_is_an_error_and_an_exception_of_the_mapping_is_raised(
    connection: aioturso.lib.Connection,
) -> None:
    class Failing(dict[str, Any]):
        def __missing__(self, key: str) -> Any:
            raise ZeroDivisionError(key)

    with pytest.raises(aioturso.lib.ProgrammingError, match="You did not supply a value for binding parameter :a"):
        connection.execute("SELECT :a", {"b": 1})
    with pytest.raises(ZeroDivisionError, match="a"):
        connection.execute("SELECT :a", Failing())
    assert connection.execute("SELECT 1").fetchone() == (1,)


def test_the_parameters_of_many_runs_come_from_any_iterable(connection: aioturso.lib.Connection) -> None:
    connection.execute("CREATE TABLE t (a)")
    runs: Any
    for runs in ([(1,)], ((1,),), ((n,) for n in range(1000)), iter([(1,), [2]]), {(1,): None}, [{"x": 1}]):
        connection.execute("DELETE FROM t")
        count = connection.executemany(
            "INSERT INTO t VALUES (:x)" if runs == [{"x": 1}] else "INSERT INTO t VALUES (?)", runs
        )
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (count.rowcount,)
    with pytest.raises(TypeError, match="'int' object is not iterable"):
        connection.executemany("INSERT INTO t VALUES (?)", 5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_a_generator_that_raises_ends_the_statement_there_with_its_own_exception(
    connection: aioturso.lib.Connection,
) -> None:
    def runs() -> Iterator[tuple[int]]:
        for number in range(300):
            yield (number,)
        raise KeyError("the source is dry")

    connection.execute("CREATE TABLE t (a)")
    with pytest.raises(KeyError, match="the source is dry"):
        connection.executemany("INSERT INTO t VALUES (?)", runs())
    assert connection.execute("SELECT count(*) FROM t").fetchone() == (300,)
    connection.rollback()


def test_a_run_that_can_not_be_bound_comes_after_those_before_it(connection: aioturso.lib.Connection) -> None:
    connection.execute("CREATE TABLE t (a)")
    bad: Any = [(1,), (2,), (object(),), (4,)]
    with pytest.raises(aioturso.lib.ProgrammingError, match="type 'object' is not supported"):
        connection.executemany("INSERT INTO t VALUES (?)", bad)
    assert connection.execute("SELECT count(*) FROM t").fetchone() == (2,)


def test_settings_are_refused_with_the_words_of_sqlite3() -> None:
    connect: Any = aioturso.lib.connect
    with pytest.raises(TypeError, match="isolation_level must be str or None"):
        connect(":memory:", isolation_level=5)
    with pytest.raises(ValueError, match="isolation_level string must be '', 'DEFERRED', 'IMMEDIATE', or 'EXCLUSIVE'"):
        connect(":memory:", isolation_level="BOGUS")
    with pytest.raises(ValueError, match="autocommit must be True, False, or"):
        connect(":memory:", autocommit="bogus")
    with pytest.raises(TypeError, match="encryption must be a tuple of a cipher and a key") as refusal:
        connect(":memory:", encryption=("aes256gcm", 0xC0FFEE))
    assert "12648430" not in str(refusal.value), "the key is shown"
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        connect(":memory:", bogus=1)
    with pytest.raises(TypeError):
        connect(":memory:", 5.0, "", 128, False, -1)
