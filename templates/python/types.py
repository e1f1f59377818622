{%- if !aliases.is_empty() %}
{% endif -%}
{%- for alias in aliases %}
{{ alias }}
{%- endfor %}
{%- for value in values %}


{{ value }}
{%- endfor %}
{%- if !late_aliases.is_empty() %}

{% endif -%}
{%- for alias in late_aliases %}
{{ alias }}
{%- endfor %}
