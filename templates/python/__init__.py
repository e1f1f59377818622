{{ header }}
"""{{ title }}

The names here are those of the asyncio side; `{{ package }}.lib` is the blocking one.
"""

{{ imports }}

__all__ = [
{%- for name in all %}
    "{{ name }}",
{%- endfor %}
]
