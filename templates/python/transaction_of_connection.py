
    def transaction(self, mode: TransactionMode | None = None) -> Transaction["{{ class.annotation }}"]:
        """A transaction as a block: `async with connection.transaction():` begins it and commits at the end; an exception
        rolls it back. Inside of another one it is a savepoint.

        Until its end the connection belongs to the block and to the tasks that are started inside of it; calls of others
        wait. `commit`, `rollback` and `executescript` are refused inside.

        Errors:
        `ProgrammingError` if a transaction is open that no block began, and at the end if a statement inside ended it;
        otherwise those of `BEGIN` and `COMMIT`.

        Parameters:
        `mode`: the word behind `BEGIN`; `None` is that of `isolation_level`. A savepoint has none, and heeds none.
        """
        return Transaction(self, self._worker, mode)
