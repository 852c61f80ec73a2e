"""The events of this extension. The service of events imports this, and nothing of the edge."""

GREETED = "https://example.org/perijove-greeting/greeted/v1"

SCHEMAS = [
    {
        "$id": GREETED,
        "version": "1",
        "title": "Somebody was greeted",
        "type": "object",
        "required": ["name"],
        "additionalProperties": False,
        "properties": {"name": {"type": "string", "maxLength": 100}},
    }
]
