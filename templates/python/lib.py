{{ header }}
"""The blocking driver, and what both drivers share."""

{{ imports }}

__all__ = [
{%- for name in all %}
    "{{ name }}",
{%- endfor %}
]
{%- if generic || !aliases.is_empty() %}
{% endif -%}
{%- for alias in aliases %}
{{ alias }}
{%- endfor %}
{%- if generic %}

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    RowT = TypeVar("RowT", default={{ row_default }})
else:
    from typing import TypeVar

    RowT = TypeVar("RowT")
{%- if dbapi %}

# What the factory of a connection makes.
MadeT = TypeVar("MadeT")
{%- endif %}

# What makes the object that is handed out for a row, of the cursor and the tuple of the row's values.
RowFactory: TypeAlias = Callable[[Cursor[Any], tuple[Any, ...]], RowT]
{%- endif %}
{%- if dbapi %}

# PEP 249, "Globals".
apilevel = "2.0"
paramstyle = "qmark"
threadsafety = {{ threadsafety }}
{%- if legacy %}

# The value of `autocommit` by which `isolation_level` decides when a transaction begins.
LEGACY_TRANSACTION_CONTROL: Final = -1
{%- endif %}

# PEP 249, "Type Objects and Constructors".
Date = datetime.date
Time = datetime.time
Timestamp = datetime.datetime
Binary = memoryview

# What `detect_types` would be made of; only 0 is taken.
PARSE_DECLTYPES: Final = 1
PARSE_COLNAMES: Final = 2


def DateFromTicks(ticks: float) -> datetime.date:
    """The local date of a time in seconds since the epoch."""
    return Date(*time.localtime(ticks)[:3])


def TimeFromTicks(ticks: float) -> datetime.time:
    """The local time of day of a time in seconds since the epoch."""
    return Time(*time.localtime(ticks)[3:6])


def TimestampFromTicks(ticks: float) -> datetime.datetime:
    """The local date and time of day of a time in seconds since the epoch."""
    return Timestamp(*time.localtime(ticks)[:6])


def register_converter(typename: str, converter: Callable[[bytes], Any], /) -> None:
    """Would have values of columns of that declared type converted.

    Errors:
    `NotSupportedError`, always.
    """
    raise NotSupportedError(
        f"a converter for {typename!r} is not supported: the engine does not tell the declared types of columns; convert "
        "the values where they are read, or in a row_factory"
    )


def _adapt_date(value: datetime.date) -> str:
    _warn_of_default("date")
    return value.isoformat()


def _adapt_datetime(value: datetime.datetime) -> str:
    _warn_of_default("datetime")
    return value.isoformat(" ")


def _warn_of_default(name: str) -> None:
    # In the words of `sqlite3` since Python 3.12.
    warnings.warn(
        f"The default {name} adapter is deprecated as of Python 3.12; see the sqlite3 documentation for suggested "
        "replacement recipes",
        DeprecationWarning,
        stacklevel=3,
    )


register_adapter(datetime.date, _adapt_date)
register_adapter(datetime.datetime, _adapt_datetime)
{%- endif %}
{%- for value in values %}


{{ value }}
{%- endfor %}
{%- if !late_aliases.is_empty() %}

{% endif -%}
{%- for alias in late_aliases %}
{{ alias }}
{%- endfor %}


class ClosedError({{ closed_bases }}):
    """A call on {{ closed_what }} that is closed, or was never opened."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"{{ closed_message }}: {reason}")
{%- for function in functions %}


{{ function }}
{%- endfor %}
{%- if let Some(version) = version %}


sqlite_version: Final = str({{ version }}[0])
sqlite_version_info: Final = tuple(map(int, sqlite_version.split(".")))
{%- endif %}
