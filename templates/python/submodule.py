{{ header }}
"""{{ title }}"""

{{ imports }}

__all__ = [
{%- for name in all %}
    "{{ name }}",
{%- endfor %}
]
{%- if !short_names.is_empty() %}
{% endif -%}
{%- for (short, long) in short_names %}
{{ short }} = {{ long }}
{%- endfor %}
