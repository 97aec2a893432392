"""The AsyncAPI document is that of the registry, and what it refers to exists."""

from __future__ import annotations

from schemas.asyncapi import FILE, document, render
from schemas.topics import PUBLIC_TOPICS


def test_the_file_is_current() -> None:
    assert FILE.read_text(encoding="utf-8") == render(), "run: python -m schemas.asyncapi"


def test_every_public_topic_has_a_channel_with_a_schema_and_an_operation() -> None:
    whole = document()
    assert tuple(whole["channels"]) == PUBLIC_TOPICS
    for topic, channel in whole["channels"].items():
        payload = channel["messages"]["record"]["payload"]["schema"]["$ref"]
        assert (FILE.parent / payload).name == f"{topic}.json"
        assert (FILE.parent / payload).exists()
    targets = [operation["channel"]["$ref"] for operation in whole["operations"].values()]
    assert targets == [f"#/channels/{topic}" for topic in PUBLIC_TOPICS]


def test_the_processor_receives_what_people_publish() -> None:
    operations = document()["operations"]
    assert operations["receive account.events"]["action"] == "receive"
    assert operations["send margin.calls"]["action"] == "send"
