{{ header }}
"""The types that the API takes and gives."""

{{ imports }}

__all__ = [
{%- for name in all %}
    "{{ name }}",
{%- endfor %}
]
{%- include "python/types.py" %}
