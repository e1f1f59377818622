{{ header }}
"""Transactions as blocks: `async with connection.transaction():`.

The block has the connection for itself, with the tasks that are started inside of it; calls of others wait for its end. How
they take turns stands in `turns.py`; this is what begins and ends a transaction.
"""

import asyncio
import functools
import itertools
import logging
from collections.abc import Callable
from types import TracebackType
from typing import Any, Generic, Literal, Protocol, TypeVar

from ._native import Call
from .lib import OperationalError, ProgrammingError
from .turns import Turn
from .worker import Worker

ConnectionT = TypeVar("ConnectionT", covariant=True)
TransactionMode = Literal["DEFERRED", "IMMEDIATE", "EXCLUSIVE"]

MODES = ("DEFERRED", "IMMEDIATE", "EXCLUSIVE")
ENTERED = "a transaction is entered once: call `transaction()` again for the next one"
ALREADY_OPEN = (
    "a transaction is open that no block began: commit it or roll it back first, and let all tasks that share the connection "
    "write inside of `async with transaction()`"
)
ENDED_INSIDE = (
    "a statement inside of the block ended its transaction, so nothing more can be part of it: leave COMMIT and ROLLBACK to "
    "the end of the block"
)
ROLLED_BACK = (
    "the transaction was rolled back when a statement in it was interrupted or failed: let the error leave the block, and run "
    "the block again"
)

logger = logging.getLogger("{{ package }}")

_numbers = itertools.count(1)


class Transactional(Protocol):
    """What a transaction needs of the blocking connection."""

    @property
    def in_transaction(self) -> bool: ...
    @property
    def autocommit(self) -> bool | Literal[-1]: ...
    @property
    def isolation_level(self) -> str | None: ...
    def execute(self, sql: str, /) -> object: ...
    def commit(self) -> None: ...
    def rollback(self) -> None: ...


class Transaction(Turn, Generic[ConnectionT]):
    """A transaction of a connection, or a savepoint inside of one, which lasts as long as an `async with` block."""

    __slots__ = ("_attempted", "_connection", "_entered", "_given_up", "_loss", "_mode", "_savepoint", "_worker")

    def __init__(self, connection: ConnectionT, worker: Worker[Any], mode: TransactionMode | None) -> None:
        if mode is not None and mode not in MODES:
            raise ProgrammingError(f"{mode!r} is no mode of a transaction: use one of {', '.join(MODES)}")
        super().__init__(worker.queue)
        # Kept until the end: a connection that is collected is closed.
        self._connection: ConnectionT | None = connection
        self._entered = False
        self._worker = worker
        self._mode = mode
        # Its name, where it does not begin and end with a transaction of the engine.
        self._savepoint: str | None = None
        self._attempted = False
        self._given_up = False
        self._loss: Callable[[], Exception] | None = None

    async def __aenter__(self) -> ConnectionT:
        connection = self._connection
        if self._entered or connection is None:
            raise ProgrammingError(ENTERED)
        self._entered = True
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._worker.queue.begin_turn(self, (future, self._begin))
        try:
            await Call(future, self._worker)
        except BaseException:
            # It failed, or was cancelled, at whatever point. If it did begin, that is undone before anything else runs.
            self._worker.queue.end_turn_at_once(self, (None, self._roll_back_unseen))
            self._connection = None
            raise
        self.step_in()
        return connection

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        try:
            if error is None:
                await self._commit_in_turn()
            elif isinstance(error, GeneratorExit):
                # Nobody runs this coroutine any further.
                self._worker.queue.end_turn_at_once(self, (None, self._roll_back_unseen))
            else:
                await self._roll_back_at_once()
        finally:
            self._connection = None
            self.step_out()

    def guard(self, function: Callable[[], object]) -> Callable[[], object]:
        return functools.partial(self._run, function)

    async def _commit_in_turn(self) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        try:
            self._worker.queue.end_turn(self, (future, self._commit))
            # Waiting in this way, a cancellation does not reach the future, which the thread would take for its own.
            await asyncio.wait([future])
        except BaseException:
            # What has begun to commit goes on; what has not is rolled back.
            self._given_up = True
            future.add_done_callback(_report)
            self._worker.queue.end_turn_at_once(self, (None, self._roll_back_unseen))
            raise
        if not self.ended:
            # It was refused.
            await self._roll_back_at_once()
        future.result()

    async def _roll_back_at_once(self) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._worker.queue.end_turn_at_once(self, (future, self._roll_back)):
            # The block's error goes on; one of the rollback comes only into the log.
            future.add_done_callback(_report)
            await asyncio.wait([future])

    # The rest runs in the thread.

    def _run(self, function: Callable[[], object]) -> object:
        """Runs a call from inside, unless there is nothing any more that it would be inside of."""
        if self._loss is not None:
            raise self._loss()
        connection: Transactional = self._worker.opened
        try:
            result = function()
        except BaseException:
            if not connection.in_transaction:
                self._lose(lambda: OperationalError(ROLLED_BACK))
            raise
        if not connection.in_transaction:
            self._lose(lambda: ProgrammingError(ENDED_INSIDE))
        return result

    def _lose(self, error: Callable[[], Exception]) -> None:
        turn: Turn | None = self
        while isinstance(turn, Transaction):
            turn._loss = error
            turn = turn.parent

    def _begin(self) -> None:
        connection: Transactional = self._worker.opened
        if self.parent is None and connection.autocommit is not False:
            if connection.in_transaction:
                raise ProgrammingError(ALREADY_OPEN)
            self._attempted = True
            connection.execute(f"BEGIN {self._mode or connection.isolation_level or MODES[0]}")
            return
        if self.parent is None:
            _reopen(connection)
        if self.parent is None and self._mode not in (None, MODES[0]):
            raise ProgrammingError(
                f"with `autocommit=False` a transaction is open already, so it can't begin {self._mode}: leave the mode out"
            )
        self._savepoint = f"{{ package }}_{next(_numbers)}"
        connection.execute(f"SAVEPOINT {self._savepoint}")
        self._attempted = True

    def _commit(self) -> None:
        if self._given_up:
            self._roll_back_unseen()
            return
        connection: Transactional = self._worker.opened
        if self._loss is not None:
            if self.parent is None:
                _reopen(connection)
            raise self._loss()
        try:
            if self._savepoint is None:
                connection.execute("COMMIT")
                return
            connection.execute(f"RELEASE {self._savepoint}")
            if self.parent is None:
                connection.commit()
        except BaseException:
            self._roll_back_unseen()
            raise

    def _roll_back(self) -> None:
        connection: Transactional = self._worker.opened
        if not self._attempted or self._loss is not None or not connection.in_transaction:
            if self.parent is None:
                _reopen(connection)
            return
        if self._savepoint is None:
            connection.execute("ROLLBACK")
            return
        try:
            connection.execute(f"ROLLBACK TO {self._savepoint}")
            connection.execute(f"RELEASE {self._savepoint}")
        except Exception:
            # The savepoint is gone, with the transaction that it was in; what has been done since has no owner.
            if self.parent is not None:
                raise
            connection.rollback()

    def _roll_back_unseen(self) -> None:
        try:
            self._roll_back()
        except Exception:
            logger.exception("a transaction could not be rolled back")


def _reopen(connection: Transactional) -> None:
    """With `autocommit=False` a transaction is always open; the engine ends it when it has to roll it back."""
    if connection.autocommit is False and not connection.in_transaction:
        connection.execute("BEGIN")


def _report(future: "asyncio.Future[Any]") -> None:
    error = None if future.cancelled() else future.exception()
    if error is not None:
        logger.error("the end of a transaction failed where nobody waited for it", exc_info=error)
