"""The AsyncAPI 3.0 document of the public topics, generated from the registry.

`python -m schemas.asyncapi` rewrites `schemas/asyncapi.json`; a test keeps the file current. Payloads refer
to the JSON Schema files beside it. Actions are the processor's: it receives what people publish and sends
what they subscribe to. The configured topic prefix stands in front of every address.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from schemas.events import VERSION
from schemas.frames import CONTENT_TYPE_JSON
from schemas.topics import PUBLIC_TOPICS, TOPICS, Topic

FILE = Path(__file__).with_name("asyncapi.json")


def document() -> dict[str, Any]:
    """The whole document."""
    topics = [TOPICS[name] for name in PUBLIC_TOPICS]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "liangrong",
            "version": str(VERSION),
            "description": "Margin trading and securities lending (融资融券): events in, supervision out.",
        },
        "defaultContentType": CONTENT_TYPE_JSON.decode(),
        "channels": {topic.name: _channel(topic) for topic in topics},
        "operations": {f"{_action(topic)} {topic.name}": _operation(topic) for topic in topics},
    }


def _channel(topic: Topic) -> dict[str, Any]:
    key = {"type": "string", "description": topic.key}
    message = {
        "name": topic.name,
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-2020-12",
            "schema": {"$ref": f"json/{topic.name}.json"},
        },
        "bindings": {"kafka": {"key": key}},
    }
    settings = {"topicConfiguration": {"cleanup.policy": [topic.retention]}}
    return {
        "address": topic.name,
        "description": topic.description,
        "messages": {"record": message},
        "bindings": {"kafka": settings},
    }


def _action(topic: Topic) -> str:
    return "receive" if topic.direction == "in" else "send"


def _operation(topic: Topic) -> dict[str, Any]:
    return {"action": _action(topic), "channel": {"$ref": f"#/channels/{topic.name}"}}


def render() -> str:
    """The text of the file."""
    return json.dumps(document(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(render(), encoding="utf-8")
