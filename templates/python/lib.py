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
{%- endif %}


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
