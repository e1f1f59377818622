{{ header }}
# pyright: {% if warns %}reportDeprecated=false, {% endif %}{% if derives %}reportIncompatibleVariableOverride=false, {% endif %}reportPrivateUsage=false
{%- if let Some(part) = part %}
"""The asyncio side of `{{ package }}.{{ part }}`, made as that of the package itself is.
{%- else %}
"""The asyncio driver: calls on the blocking one go through a queue to a thread of its own.
{%- endif %}

A method queues its call at once, so that calls run in the order in which they are made, and returns a coroutine that waits
for the result. Cancelling that cancels the call: it never runs, or it is interrupted if it runs already.
{%- if has_rows %}
Rows are read ahead, a chunk with each trip to the thread; they are what they were when they were read.
{%- endif %}
"""

{{ imports }}

ResultT = TypeVar("ResultT")
{%- for class in classes %}


{{ class.head }}
{%- if !class.docs.is_empty() %}
{{ class.docs }}
{% endif %}
{{ class.slots }}
{%- if !class.exceptions.is_empty() %}
{% for exception in class.exceptions %}
    {{ exception }} = lib.{{ exception }}
{%- endfor %}
{%- endif %}

{{ class.init }}
{%- if class.is_root %}
        self._worker: {{ class.worker_class }}[{{ class.blocking }}] = {{ class.worker_class }}(
            "{{ package }}.{{ class.name }}",
            connector,
{%- if let Some(close) = class.close %}
            close=lambda {{ class.object }}: {{ class.object }}.{{ close }}(),
{%- endif %}
{%- if let Some(interrupt) = class.interrupt %}
            interrupt=lambda {{ class.object }}: {{ class.object }}.{{ interrupt }}(),
{%- endif %}
            closed_error=ClosedError,
{%- if class.is_connection || class.has_extras_above %}
            about=about,
{%- endif %}
{%- if class.keeps %}
            keeps_object=True,
{%- endif %}
{%- if class.has_lanes %}
            lane_interrupts={
{%- for interrupt in class.lane_interrupts %}
                "{{ interrupt.lane }}": lambda {{ class.object }}: {{ class.object }}.{{ interrupt.name }}(),
{%- endfor %}
{%- if !class.lane_interrupts.is_empty() %}
            {% endif %}},
{%- endif %}
        )
{%- else %}
{%- if class.is_coroutine %}
        self._steps = None
{%- endif %}
        self._parent{{ class.parent_type }} = parent
        self._worker{{ class.worker_type }} = parent._worker
        worker = self._worker
        # As `recorded` does.
        parent_calls: Any = {{ class.parent_calls }}
        call: Any = None
        if parent_calls is not None:
            try:
                call = make(parent_calls)
            except Exception:
                call = None
        # What makes native calls on the {{ class.object }}, if they can be made.
        calls: Any = None
        queued: Call[Any] | None = None
{%- if class.has_rows %}
        self._rows: Rows[{{ class.row }}]
{%- endif %}
        if call is not None:
            calls = call.made
{%- if class.has_rows %}
            self._rows = calls
{%- if class.chunks %}
            chunk_size = parent.iter_chunk_size
            if chunk_size != CHUNK_SIZE:
                calls.chunk_size = chunk_size
{%- endif %}
{%- endif %}
            # What follows is done while it runs.
            direct = worker.queue.direct
            queued = None if direct is None else direct.submit(call, worker)
            if queued is None:
                queued = self._put(call)
        self._calls = calls
        # It is there without native calls.
        self._{{ class.object }}: {{ class.blocking }} | None = None
        self._make_error: BaseException | None = None
{%- endif %}
{%- if class.has_setters %}
        self._assigned = UNASSIGNED
{%- endif %}
{%- if class.has_rows && class.is_root %}
        self._rows: Rows[{{ class.row }}] = Rows({% if class.chunks %}check_chunk_size(iter_chunk_size){% endif %})
{%- else if class.chunks && !class.has_rows %}
        self._chunk_size = check_chunk_size(iter_chunk_size)
{%- endif %}
{%- if let Some(snapshot) = class.snapshot %}
        self._snapshot: {{ snapshot.annotation }} = {{ snapshot.initial }}
{%- endif %}
{%- if class.is_root %}

    def __await__(self) -> Generator[Any, Any, "{{ class.annotation }}"]:
        yield from self._open().__await__()
        return self

    async def __aenter__(self) -> "{{ class.annotation }}":
        return await self
{%- else %}
        if queued is None:
{%- if class.has_rows %}
            self._rows = Rows({% if class.chunks %}parent.iter_chunk_size{% endif %})
{%- endif %}
            queued = self._queue_make(make)
        self._made = queued

    def __await__(self) -> Generator[Any, Any, "{{ class.annotation }}"]:
        made = self._made
        if not made.finish_soon():
            yield from made.__await__()
        return self

    async def __aenter__(self) -> "{{ class.annotation }}":
        await self._made
        return self
{%- endif %}
{%- if class.leaves %}

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
{%- if class.is_root && class.close.is_none() %}
        await self.close()
{%- else if let Some(close) = class.close %}
        await self.{{ close }}()
{%- else %}
        """There is nothing to close."""
{%- endif %}
{%- endif %}
{%- if class.has_rows %}

    def __aiter__(self) -> AsyncIterator[{{ class.row }}]:
        return self

    async def __anext__(self) -> {{ class.row }}:
        queue = self._worker.queue
        if queue.direct is None:
            queue.check()
        found = self._rows.next_ahead(MISSING)
        if found is not MISSING:
            row: {{ class.row }} = found
            return row
        rows = await self._read(1, list)
        if not rows:
            raise StopAsyncIteration
        return rows[0]
{%- endif %}
{%- if !class.is_root %}

    def __del__(self) -> None:
        # It is dropped where it was made and used.
        try:
            calls, {{ class.object }} = self._calls, self._{{ class.object }}
        except AttributeError:
            # `__init__` refused its arguments.
            return
        if calls is not None:
            drop = calls.abandon()
            if drop is None:
                return
{%- if class.is_cursor %}
            if calls.is_over:
                # Nothing is left of it that would keep others waiting.
                self._worker.queue.discard_later(drop)
            else:
                self._worker.queue.discard(drop)
{%- else %}
            self._worker.queue.discard(drop)
{%- endif %}
        elif {{ class.object }} is not None:
{%- if class.remakes_rows() %}
            # The thread is the last to let go of it.
            self._rows.drop()
{%- endif %}
            self._worker.queue.discard([{{ class.object }}].clear)
{%- endif %}
{%- for member in class.members %}

{{ member }}
{%- endfor %}
{%- if class.is_connection %}
{% include "python/connection_extras.py" %}
{%- else if class.has_extras_above && class.has_transactions %}
{% include "python/transaction_of_connection.py" %}
{%- endif %}
{%- if class.is_cursor %}
{% include "python/cursor_extras.py" %}
{%- endif %}
{%- if class.is_root %}
{%- if class.adds_close %}

    def close(self) -> Coroutine[Any, Any, None]:
        """Runs what was called before, lets go of the object and ends its thread."""
        return self._worker.close()
{%- endif %}
{%- if class.opens %}

    async def _open(self) -> None:
        if self._worker.started:
            await self._call(lambda {{ class.object }}: None)
            return
        try:
            await self._worker.start(self)
{%- if class.snapshot.is_some() %}
            await self._call(lambda {{ class.object }}: None)
{%- endif %}
        except Exception:
            # Nobody has the object, so nobody else will close it.
            await self._worker.close()
            raise
        except BaseException:
            # It was cancelled, at whatever point, and who cancels does not want to wait.
            self._worker.stop()
            raise
{%- endif %}
{%- else %}
{%- if class.is_coroutine %}

    def _abandon(self) -> None:
        self._made.cancel()
{%- endif %}

{{ class.heads.queue_make }}
        return self._queue(lambda: self._make(make))

{{ class.heads.make }}
        try:
{%- if class.has_rows %}
            {{ class.object }} = self._{{ class.object }} = make({{ class.parent_object }})
            self._rows.begin({{ class.object }}._read_rows)
{%- else %}
            self._{{ class.object }} = make({{ class.parent_object }})
{%- endif %}
        except BaseException as error:
            self._make_error = error
            raise

    def _object(self) -> {{ class.blocking }}:
        calls = self._calls
        if calls is not None and not calls.is_made:
            raise calls.error or ClosedError(NOT_MADE)
        {{ class.object }}: {{ class.blocking }} | None = self._{{ class.object }} if calls is None else calls.object
        if {{ class.object }} is None:
            raise self._make_error or ClosedError(NOT_MADE)
        return {{ class.object }}
{%- endif %}
{%- if class.has_object && class.is_root %}

    def _object(self) -> {{ class.blocking }}:
        return self._worker.opened
{%- endif %}
{%- if class.is_root %}

    @property
    def _calls(self) -> Any:
        return self._worker.calls
{%- endif %}
{%- if let Some(snapshot) = class.snapshot %}

    def _latest(self) -> {{ snapshot.latest }}:
        calls = self._calls
        latest: {{ snapshot.latest }} | None = None if calls is None else calls.latest()
{%- if snapshot.optional %}
        snapshot = latest or self._snapshot
        if snapshot is None:
            raise ClosedError(NOT_OPEN)
        return snapshot
{%- else %}
        return latest or self._snapshot
{%- endif %}
{%- endif %}
{%- if class.assigns %}

    def _assign(self, name: str, value: object) -> None:
{%- if class.is_root %}
        worker = self._worker
{% else if class.remakes_rows() %}
        rows = self._rows if name == "row_factory" else None
{% endif %}
        def assign() -> None:
{%- if class.is_root %}
            setattr(worker.opened, name, value)
{%- if class.snapshot.is_some() %}
            self._snapshot = worker.opened._snapshot()
{%- endif %}
{%- else %}
            {{ class.object }} = self._object()
{%- if class.remakes_rows() %}
            before = {{ class.object }}.row_factory
{%- endif %}
            setattr({{ class.object }}, name, value)
{%- if class.remakes_rows() %}
            if rows is not None and self._calls is None:
                # Not by way of this object, which would then keep itself.
                remade = self._remade
                is_plain = before is None or before is lib.Row
                rows.unmake((lambda row: remade({{ class.object }}, row)) if is_plain else None)
{%- endif %}
{%- if class.snapshot.is_some() %}
            self._snapshot = {{ class.object }}._snapshot()
{%- endif %}
{%- endif %}

        if self._assigned is UNASSIGNED:
            self._assigned = Assigned()
        {% if class.is_root %}worker{% else %}self._worker{% endif %}.queue.assign(self._assigned.set(name, value, assign{% if class.remakes_rows() %}, rows{% endif %}))
{%- endif %}
{%- if class.has_chains %}

{{ class.heads.begin }}
        call = recorded(function, self._calls)
        if call is not None:
{%- if !class.is_root %}
            self._made.silence()
{%- endif %}
            return Begun(self._put(call.keeps(self)), self)

{{ class.heads.begin_call }}
{%- if class.has_rows %}
            begun = {{ class.object }}._begun
            try:
                function({{ class.object }})
            finally:
                # An argument that can't be converted never reaches it: the rows of before stay.
                if {{ class.object }}._begun != begun:
                    self._rows.drop()
            self._rows.begin({{ class.object }}._read_rows)
{%- else %}
            function({{ class.object }})
{%- endif %}

        return Begun(self._call(begin), self)
{%- endif %}
{%- if class.has_rows %}

{{ class.heads.read }}
        reading = Reading(self._rows, size, convert)
        if self._worker.queue.closed or not reading.take_ahead():
            self._queue_read(reading)
        return reading

    def _queue_read(self, reading: Reading[Any, Any]) -> None:
        if self._calls is None:
            interrupted = self._worker.is_interrupted
            call = self._call(lambda {{ class.object }}: reading.take({{ class.object }}._read_rows, interrupted))
            reading.wait_for(call)
            return
{%- if !class.is_root %}
        self._made.silence()
{%- endif %}
        # Until it is done, this object is not collected, which would end what is read.
        take = self._calls.take(reading.size, reading.receive).keeps(self)
        reading.wait_for(self._put(take), take)
{%- endif %}

{{ class.heads.call }}
{%- if class.is_root %}
{%- if class.refreshes() %}
        call = recorded(function, self._calls)
        return self._queue(lambda: function(self._worker.opened)) if call is None else self._put(call)
{%- else %}
        return self._put(self._worker.bind(function))
{%- endif %}
{%- else %}
        self._made.silence()
        call = recorded(function, self._calls)
        return self._queue(lambda: function(self._object())) if call is None else self._put(call)
{%- endif %}
{%- if class.refreshes() || !class.is_root %}

    def _queue(self, function: Callable[[], ResultT]) -> Call[ResultT]:
{%- if class.refreshes() %}
{%- if class.has_rows %}
        number = self._rows.ask()
{% endif %}
        def call() -> ResultT:
            try:
                return function()
            finally:
{%- if class.snapshot.is_some() %}
{%- if class.is_root %}
                self._snapshot = self._worker.opened._snapshot()
{%- else %}
                if self._{{ class.object }} is not None:
                    self._snapshot = self._{{ class.object }}._snapshot()
{%- endif %}
{%- endif %}
{%- if class.has_rows %}
                self._rows.answer(number)

        return self._put(call, number)
{%- else %}

        return self._put(call)
{%- endif %}
{%- else %}
        return self._put(function)
{%- endif %}
{%- endif %}

{%- if class.has_rows && turns %}

    def _put(self, call: Any, number: int | None = None) -> Call[Any]:
        worker = self._worker
        direct = worker.queue.direct
        queued = None if direct is None else direct.submit(call, worker)
        if queued is not None:
            return queued
        future: asyncio.Future[Any] = asyncio.get_event_loop().create_future()
        if worker.queue.put_nowait((future, call)):
            self._rows.wait(call.number if number is None else number, future)
        return Call(future, worker)
{%- else %}

    def _put(self, call: Any{% if class.has_rows %}, number: int | None = None{% endif %}) -> Call[Any]:
        worker = self._worker
        direct = worker.queue.direct
        queued = None if direct is None else direct.submit(call, worker)
        if queued is not None:
            return queued
        future: asyncio.Future[Any] = asyncio.get_event_loop().create_future()
        worker.queue.put_nowait((future, call))
        return Call(future, worker)
{%- endif %}
{%- endfor %}
{%- for function in functions %}


{{ function }}
{%- endfor %}
