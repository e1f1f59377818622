@dataclasses.dataclass(frozen=True)
class {{ name }}:
{%- if !docs.is_empty() %}
{{ docs }}
{% endif %}
{%- for field in fields %}
    {{ field.name }}: {{ field.annotation }}{% if let Some(default) = field.default %} = {{ default }}{% endif %}
{%- if !field.docs.is_empty() %}
{{ field.docs }}
{%- if !loop.last %}
{% endif %}
{%- endif %}
{%- endfor %}
{%- if fields.is_empty() && docs.is_empty() %}
    pass
{%- endif %}
