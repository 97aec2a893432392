"""JSON Schema (draft 2020-12) of every public topic, generated from the event classes.

`python -m schemas.jsonschema` rewrites `schemas/json/<topic>.json`; a test keeps the files current. What a
schema cannot say (decimals of a JSON number, conditions between fields) is said by the decoder.
"""

from __future__ import annotations

import json
from pathlib import Path

from schemas.events import CLASSES, VERSION
from schemas.fields import JsonSchema
from schemas.records import object_schema
from schemas.topics import PUBLIC_TOPICS, TOPICS

FOLDER = Path(__file__).parent / "json"


def topic_schema(topic: str) -> JsonSchema:
    """JSON Schema of the values of a public topic."""
    alternatives = [_event_schema(cls) for cls in CLASSES[topic]]
    body = alternatives[0] if len(alternatives) == 1 else {"anyOf": alternatives}
    description = TOPICS[topic].description
    if "description" in body:
        description = f"{description} {body['description']}"
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:liangrong:{topic}:{VERSION}",
        "title": topic,
        **body,
        "description": description,
    }


def _event_schema(cls: type) -> JsonSchema:
    kind = getattr(cls, "kind", None)
    constant = {"kind": {"const": kind}} if isinstance(kind, str) else None
    schema = object_schema(cls, constant)
    schema["properties"]["v"] = {"description": "schema version, 1 when absent", "const": VERSION}
    return schema


def render(topic: str) -> str:
    """The text of a topic's schema file."""
    return json.dumps(topic_schema(topic), ensure_ascii=False, indent=1) + "\n"


def write_all(folder: Path = FOLDER) -> list[Path]:
    """Write the schema files of all public topics."""
    paths = []
    for topic in PUBLIC_TOPICS:
        path = folder / f"{topic}.json"
        path.write_text(render(topic), encoding="utf-8")
        paths.append(path)
    return paths


if __name__ == "__main__":
    write_all()
