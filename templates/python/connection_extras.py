
    @property
    def row_factory(self) -> RowFactory[Any] | None:
        """What makes the object that is handed out for a row: `None` for a tuple, or something that is called with
        the cursor and that tuple, such as `Row`. Cursors take it over when they are made. As in `sqlite3`, what can't be
        called is an error where a row is made.
        """
        return self._assigned.get("row_factory", lambda: self._worker.in_place.row_factory)

    @row_factory.setter
    def row_factory(self, row_factory: RowFactory[Any] | None) -> None:
        self._assign("row_factory", row_factory)

    @property
    def text_factory(self) -> Callable[[bytes], Any]:
        """What makes the object for a text: `str` (the default), `bytes`, `bytearray`, or something that is
        called with the text's UTF-8 as `bytes`. As in `sqlite3`, what can't be called is an error where a row is made.
        """
        return self._assigned.get("text_factory", lambda: self._worker.in_place.text_factory)

    @text_factory.setter
    def text_factory(self, text_factory: Callable[[bytes], Any]) -> None:
        self._assign("text_factory", text_factory)

    @property
    def iter_chunk_size(self) -> int:
        """How many rows a cursor reads ahead at first, up to 4 times as many where it is read on; at least 1.

        Cursors take it over when they are made.
        """
        return {% if class.has_rows %}self._rows.chunk_size{% else %}self._chunk_size{% endif %}

    @iter_chunk_size.setter
    def iter_chunk_size(self, iter_chunk_size: int) -> None:
        {% if class.has_rows %}self._rows.chunk_size{% else %}self._chunk_size{% endif %} = check_chunk_size(iter_chunk_size)
{%- if let Some(execute) = class.execute %}

{{ execute.insert_head }}
        """Runs an `INSERT` and gives a row with the id of the row that it inserted: aiosqlite's short form."""

        def {{ execute.insert }}({{ class.object }}: {{ class.blocking }}) -> {{ class.row }} | None:
            {{ class.object }}.{{ execute.call }}
            return {{ class.object }}.execute("SELECT last_insert_rowid()").fetchone()

        return {% if class.refreshes() %}self._queue{% else %}self._put{% endif %}(lambda: {{ execute.insert }}(self._worker.opened))

{{ execute.fetchall_head }}
        """Runs a query and gives all of its rows: aiosqlite's short form of `execute` and `fetchall`, each of which may take as
        long as one call may.
        """
        return {% if class.refreshes() %}self._queue{% else %}self._put{% endif %}(lambda: self._worker.opened.{{ execute.call }}.fetchall())
{%- endif %}

    def stop(self) -> Coroutine[Any, Any, None]:
        """Closes as `close` does, and begins at once, so that those who cannot await may leave it at that."""
        return self._worker.close()
{%- if class.has_transactions %}
{% include "python/transaction_of_connection.py" %}
{%- endif %}
