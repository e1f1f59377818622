{{ header }}
"""The blocking side of `{{ package }}.{{ part }}`."""

{{ imports }}

__all__ = [
{%- for name in all %}
    "{{ name }}",
{%- endfor %}
]
{%- include "python/types.py" %}
{%- for function in functions %}


{{ function }}
{%- endfor %}
