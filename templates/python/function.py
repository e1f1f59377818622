{{ head }}
{%- if !docs.is_empty() %}
{{ docs }}
{%- endif %}

    def {{ connector }}() -> Blocking{{ annotation }}:
{%- if let Some(connection) = connection %}
{{ opened }}
        if row_factory is not None:
            {{ connection }}.row_factory = row_factory
        return {{ connection }}
{%- else %}
{{ opened }}
{%- endif %}

    return {{ class }}({{ made }})
