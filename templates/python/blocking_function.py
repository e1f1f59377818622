{{ head }}
{%- if !docs.is_empty() %}
{{ docs }}
{%- endif %}
{%- if let Some(make) = make %}
    {{ make }}: Callable[..., {{ class }}[Any]] = {{ class }} if {{ factory }} is None else {{ factory }}
{%- endif %}
{{ opened }}
    if row_factory is not None:
        {{ connection }}.row_factory = row_factory
    return {{ connection }}
