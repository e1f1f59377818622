{{ header }}
"""The asyncio side by itself; the package `{{ package }}` has the same names."""

{{ imports }}

__all__ = [
{%- for name in all %}
    "{{ name }}",
{%- endfor %}
]
