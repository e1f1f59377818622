{{ header }}
"""{{ package }}: each method as an awaitable, and as a blocking twin whose name ends with `_sync`.

A class that other objects hand out has two forms: `async with client.transaction()` gives one, `with client.transaction_sync()`
the other, whose name begins with `Sync`.
"""

{{ imports }}

__all__ = [
{%- for name in all %}
    "{{ name }}",
{%- endfor %}
]
