{{ header }}
# The documentation is for editors, which have no other place to find it.
# ruff: noqa: PYI021{{ imports }}
{%- if dbapi %}

__version__: str

_T = TypeVar("_T")
{%- endif %}

_OutcomeT = TypeVar("_OutcomeT", covariant=True)
_ItemT = TypeVar("_ItemT")
{%- for exception in exceptions %}

class {{ exception.name }}({{ exception.base }}):
{%- if exception.docs.is_empty() %} ...
{%- else %}
{{ exception.docs }}
{%- if dbapi && exception.name == "Error" %}

    # What the engine raised has them.
    sqlite_errorcode: int
    sqlite_errorname: str
{%- endif %}
{%- endif %}
{%- endfor %}
{%- if dbapi %}
{% for exception in exceptions %}
_{{ exception.name }}: TypeAlias = {{ exception.name }}
{%- endfor %}
{%- endif %}
{%- for class in classes %}

class {{ class.head }}
{%- if !class.docs.is_empty() %}
{{ class.docs }}
{% endif %}
{%- for exception in class.exceptions %}
    {{ exception }}: type[_{{ exception }}]
{%- endfor %}
{%- for member in class.members %}
{{ member }}
{%- endfor %}
{%- endfor %}
{%- if dbapi %}

class Row(Sequence[Any]):
    """A row whose values are found by position, by slice, and by the column's name whatever its case.

    Set it as `row_factory` of a connection or a cursor. It costs little more than a tuple.
    """

    def __new__(cls, cursor: Cursor[Any], data: tuple[Any, ...], /) -> Self: ...
    def keys(self) -> list[str]:
        """The names of the columns."""

    @overload
    def __getitem__(self, key: int | str, /) -> Any: ...
    @overload
    def __getitem__(self, key: slice, /) -> tuple[Any, ...]: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __hash__(self) -> int: ...
    def __eq__(self, value: object, /) -> bool: ...
    def __ne__(self, value: object, /) -> bool: ...

class PrepareProtocol:
    """The protocol by which objects are asked for a value: the argument of their method `__conform__`."""

    def __new__(cls, *args: object, **kwargs: object) -> Self: ...

# By type and protocol.
adapters: dict[tuple[type, type], Callable[[Any], Any]]

def register_adapter(type: type[_T], adapter: Callable[[_T], Any], /) -> None:
    """Makes an adapter known: objects of exactly that type are bound as what it makes of them."""

def adapt(obj: object, proto: type | None = None, /, *alt: Any) -> Any:
    """What an object is bound as: what an adapter or its own method `__conform__` makes of it, or `alt`.

    Errors:
    `ProgrammingError` if nothing makes anything of it and there is no `alt`.
    """
{%- endif %}
{%- for function in functions %}
{{ function }}
{%- endfor %}

@final
class Call(Coroutine[Any, Any, _OutcomeT]):
    """A call that is queued, or was run. Await it, also more than once, or make a task of it; whoever cancels that cancels the
    call."""

    def __class_getitem__(cls, key: Any) -> Any: ...
    def __new__(cls, future: asyncio.Future[_OutcomeT], worker: object) -> Call[_OutcomeT]: ...
    def __await__(self) -> Generator[Any, None, _OutcomeT]: ...
    def __aenter__(self) -> Awaitable[_OutcomeT]: ...
    def __aexit__(self, *_arguments: object) -> Awaitable[None]: ...
    def __aiter__(self: Call[list[_ItemT]]) -> AsyncIterator[_ItemT]: ...
    def send(self, value: object) -> Any: ...
    def throw(self, kind: Any, value: Any = None, traceback: Any = None, /) -> Any: ...
    def close(self) -> None: ...
    def cancel(self) -> None:
        """Cancels the call. If it is queued, it never runs; if it runs now, it is interrupted."""

    def silence(self) -> None:
        """Its error is raised elsewhere too, so asyncio need not complain that nobody saw it."""

    def finish_soon(self) -> bool:
        """Looks for its end for a moment, once. The answer is whether it has a value that may be handed out at once."""

    def as_future(self) -> asyncio.Future[_OutcomeT]:
        """The future for its result."""

@final
class NativeCall:
    """A call that was made and not run yet: a function without arguments, which a native queue runs without the GIL."""

    made: Any
    number: int

    def __call__(self, /, *args: object, **kwargs: object) -> object: ...
    def keeps(self, object: object) -> NativeCall: ...
    def give_up(self) -> None: ...

@final
class NativeToken:
    """What says that nobody waits any more for a call that runs."""

    def run(self, function: object) -> object: ...
    def cancel(self) -> None: ...

@final
class NativeQueue:
    """An unbounded queue of calls in front of one thread, which runs native ones without the GIL."""

    @staticmethod
    def can_tell(event_loop: object) -> bool: ...
    def put_nowait(self, item: object) -> None: ...
    def take_directly(self, is_direct: bool) -> None: ...
    def submit(self, function: object, worker: object) -> Call[Any] | None: ...
    def discard_later(self, call: NativeCall) -> None: ...
    def serve(self, run: object, lose: object) -> None: ...
    def cancel(self, call: Call[Any], interrupt: object) -> bool: ...
    def tell(self, event_loop: object, outcome: list[Any], wait: object = None) -> bool: ...
    def tell_interrupt(self) -> None: ...
    def skip(self, interrupt: object) -> None: ...
    @staticmethod
    def forget_notifiers() -> None: ...

def calls_of(object: object) -> object: ...
