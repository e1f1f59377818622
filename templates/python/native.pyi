{{ header }}
# The documentation is for editors, which have no other place to find it.
# ruff: noqa: PYI021

{{ imports }}
{%- if dbapi %}

__version__: str
{%- endif %}
{%- for exception in exceptions %}

class {{ exception.name }}({{ exception.base }}):
{%- if exception.docs.is_empty() %} ...
{%- else %}
{{ exception.docs }}
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
{%- endif %}
{%- for function in functions %}

{{ function }}
{%- endfor %}
