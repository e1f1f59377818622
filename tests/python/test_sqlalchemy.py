"""SQLAlchemy's asyncio engine over the driver.

Its dialect for aiosqlite reaches into that package: it sets a flag on the connection's thread, puts calls into its queue by
hand, and makes two SQL functions, which the engine can't. What is left of it without these is the dialect below, and all of
that works as it is.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import aioturso
import aioturso.lib
import pytest

pytest.importorskip("sqlalchemy", reason="it is not there for Python 3.10")

from sqlalchemy import ForeignKey, event, exc, func, select, text
from sqlalchemy.connectors.asyncio import AsyncAdapt_dbapi_connection
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite import aiosqlite
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, selectinload
from sqlalchemy.util.concurrency import await_


class AdaptedConnection(aiosqlite.AsyncAdapt_aiosqlite_connection):
    __slots__ = ()

    @property
    def isolation_level(self) -> str | None:
        return self._connection.isolation_level

    @isolation_level.setter
    def isolation_level(self, level: str | None) -> None:
        self._connection.isolation_level = level

    def commit(self) -> None:
        AsyncAdapt_dbapi_connection.commit(self)

    def rollback(self) -> None:
        AsyncAdapt_dbapi_connection.rollback(self)


class AdaptedModule(aiosqlite.AsyncAdapt_aiosqlite_dbapi):
    def connect(self, *arguments: Any, **keywords: Any) -> AdaptedConnection:
        return AdaptedConnection(self, await_(aioturso.connect(*arguments, **keywords)))


class Dialect(aiosqlite.SQLiteDialect_aiosqlite):
    driver = "aioturso"
    supports_statement_cache = True

    @classmethod
    def import_dbapi(cls) -> AdaptedModule:
        return AdaptedModule(aioturso, aioturso.lib)  # type: ignore[arg-type]

    def on_connect(self) -> None:
        """There are no SQL functions to be made."""

    def is_disconnect(self, error: Exception, connection: Any, cursor: Any) -> bool:
        return isinstance(error, aioturso.ClosedError) or super().is_disconnect(error, connection, cursor)


registry.register("sqlite.aioturso", __name__, "Dialect")


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "author"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    books: Mapped[list[Book]] = relationship(back_populates="author", order_by="Book.id")


class Book(Base):
    __tablename__ = "book"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    printed: Mapped[datetime]
    cover: Mapped[bytes | None]
    author_id: Mapped[int] = mapped_column(ForeignKey("author.id"))
    author: Mapped[Author] = relationship(back_populates="books")


@asynccontextmanager
async def engine_for(path: str) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(f"sqlite+aioturso:///{path}")
    try:
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        yield engine
    finally:
        await engine.dispose()


async def test_objects_are_stored_and_found(path: str) -> None:
    printed = datetime(1965, 8, 1, 12, 30)
    async with engine_for(path) as engine:
        async with AsyncSession(engine) as session, session.begin():
            author = Author(name="Herbert")
            author.books = [Book(title=f"Dune {number}", printed=printed, cover=b"\0") for number in range(200)]
            session.add(author)
        async with AsyncSession(engine) as session:
            query = select(Author).options(selectinload(Author.books))
            found = (await session.scalars(query)).one()
            assert [book.title for book in found.books] == [f"Dune {number}" for number in range(200)]
            assert found.books[0].printed == printed
            assert found.books[0].cover == b"\0"
            assert await session.scalar(select(func.count()).select_from(Book)) == 200


async def test_a_result_is_streamed(path: str) -> None:
    """The cursor of the server's side: rows come as they are read."""
    async with engine_for(path) as engine, engine.connect() as connection:
        numbers = "WITH RECURSIVE t(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM t WHERE n < 500) SELECT n FROM t"
        result = await connection.stream(text(numbers))
        assert [row.n async for row in result] == list(range(1, 501))


async def test_errors_are_those_of_sqlalchemy_and_roll_back(path: str) -> None:
    async with engine_for(path) as engine:
        with pytest.raises(exc.IntegrityError) as raised:
            async with AsyncSession(engine) as session, session.begin():
                session.add_all([Author(name="twice"), Author(name="twice")])
        assert isinstance(raised.value.orig, aioturso.IntegrityError)
        async with engine.connect() as connection:
            assert await connection.scalar(select(func.count()).select_from(Author)) == 0
            with pytest.raises(exc.OperationalError):
                await connection.execute(text("SELECT * FROM nowhere"))


async def test_isolation_levels_and_savepoints(path: str) -> None:
    async with engine_for(path) as engine:
        async with engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            await connection.execute(text("INSERT INTO author (name) VALUES ('kept')"))
        async with AsyncSession(engine) as session, session.begin():
            session.add(Author(name="outer"))
            await session.flush()
            nested = await session.begin_nested()
            session.add(Author(name="inner"))
            await session.flush()
            await nested.rollback()
        async with AsyncSession(engine) as session:
            names = await session.scalars(select(Author.name).order_by(Author.id))
            assert list(names) == ["kept", "outer"]


async def test_a_connection_that_was_closed_is_replaced(path: str) -> None:
    """The pool hears of it by the error, and makes another."""
    async with engine_for(path) as engine:
        connects: list[object] = []
        event.listen(engine.sync_engine, "connect", lambda *_: connects.append(None))
        async with engine.connect() as connection:
            raw = await connection.get_raw_connection()
            assert isinstance(raw.driver_connection, aioturso.Connection)
            await raw.driver_connection.close()
            with pytest.raises(exc.DBAPIError) as raised:
                await connection.execute(text("SELECT 1"))
            assert raised.value.connection_invalidated
        async with engine.connect() as connection:
            assert await connection.scalar(text("SELECT 1")) == 1
        assert len(connects) == 1
