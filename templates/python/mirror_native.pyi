{{ header }}
# The documentation is for editors, which have no other place to find it.
# ruff: noqa: PYI021

{{ imports }}

_T_co = TypeVar("_T_co", covariant=True)
{%- for exception in exceptions %}

class {{ exception.name }}({{ exception.base }}):
{%- if exception.docs.is_empty() %} ...
{%- else %}
{{ exception.docs }}
{%- endif %}
{%- endfor %}
{%- for class in classes %}

class {{ class.head }}
{%- if !class.docs.is_empty() %}
{{ class.docs }}
{% endif %}
{%- for member in class.members %}
{{ member }}
{%- endfor %}
{%- endfor %}

class Opening(Coroutine[Any, Any, _T_co]):
    """The awaitable of an object, which may be entered at once: `async with` awaits it and ends it."""

    __name__: str
    __qualname__: str
    def __await__(self) -> Generator[Any, Any, _T_co]: ...
    def __iter__(self) -> Self: ...
    def __next__(self) -> Any: ...
    def send(self, value: Any, /) -> Any: ...
    def throw(
        self,
        typ: type[BaseException] | BaseException,
        val: BaseException | object = None,
        tb: TracebackType | None = None,
        /,
    ) -> Any: ...
    def close(self) -> None: ...
    def __aenter__(self) -> Coroutine[Any, Any, _T_co]: ...
    def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> Coroutine[Any, Any, bool | None]: ...
{%- for function in functions %}
{{ function }}
{%- endfor %}
