
    @property
    def row_factory(self) -> RowFactory[Any] | None:
        """What makes the object that is handed out for a row: `None` for a tuple, or something that is called with the
        cursor and that tuple. A cursor begins with its connection's. As in `sqlite3`, what can't be called is an error
        where a row is made.
        """
        return self._assigned.get("row_factory", self._present_row_factory)

    @row_factory.setter
    def row_factory(self, row_factory: RowFactory[Any] | None) -> None:
        self._assign("row_factory", row_factory)

    @property
    def iter_chunk_size(self) -> int:
        """How many rows are read ahead at first; at least 1. As long as a result set is read on, each trip to the worker
        brings twice as many as the one before, up to 4 times as many. A cursor begins with its connection's.
        """
        return self._rows.chunk_size

    @iter_chunk_size.setter
    def iter_chunk_size(self, iter_chunk_size: int) -> None:
        self._rows.chunk_size = check_chunk_size(iter_chunk_size)

    def _present_row_factory(self) -> RowFactory[Any] | None:
        calls = self._calls
        {{ class.object }} = self._{{ class.object }} if calls is None else calls.object
        return (self._parent if {{ class.object }} is None else {{ class.object }}).row_factory

    @staticmethod
    def _remade({{ class.object }}: {{ class.blocking }}, row: Any) -> Any:
        """A row of `None` or `Row` as `row_factory` makes it now."""
        values, row_factory = tuple(row), {{ class.object }}.row_factory
        return values if row_factory is None else row_factory({{ class.object }}, values)
