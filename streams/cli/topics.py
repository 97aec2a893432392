"""`liangrong topics`: the registry of topics, applied to a broker."""

from __future__ import annotations

import asyncio
from typing import Any

import click

from streams.cli.options import json_option, with_settings
from streams.cli.output import print_json, print_table
from streams.settings import Settings
from streams.topics import TopicDescription, TopicState, create_topics, describe_topic, list_topics

_PARTITIONS = ("LIANGRONG_PARTITIONS", "LIANGRONG_MARKET_PARTITIONS")


@click.group()
def command() -> None:
    """Create, list or describe the topics of the contract on the broker."""


@command.command(short_help="create what is missing")
@json_option
@with_settings(shown=_PARTITIONS)
def create(settings: Settings, as_json: bool) -> None:
    """Create what is missing; refuse a broker whose topics have other partition counts."""
    states = asyncio.run(create_topics(settings))
    if as_json:
        print_json([_json(state) for state in states])
        return
    made = sum(state.created for state in states)
    click.echo(f"{made} topics created, {len(states) - made} were there.")


@command.command(name="list", short_help="all topics, and whether the broker has them")
@json_option
@with_settings(shown=_PARTITIONS)
def list_(settings: Settings, as_json: bool) -> None:
    """All topics, their partitions, and whether the broker has them."""
    states = asyncio.run(list_topics(settings))
    if as_json:
        print_json([_json(state) for state in states])
        return
    rows = [(s.full_name, s.topic.direction, s.expected, _condition(s), s.topic.description) for s in states]
    print_table(("topic", "use", "partitions", "broker", "what"), rows)


@command.command(short_help="partitions, offsets and settings of one topic")
@click.argument("topic")
@json_option
@with_settings(shown=_PARTITIONS)
def describe(settings: Settings, topic: str, as_json: bool) -> None:
    """Partitions, offsets and settings of one topic, named without its prefix."""
    found = asyncio.run(describe_topic(settings, topic))
    if as_json:
        print_json(_json(found.state) | _details(found))
        return
    known = found.state.topic
    click.echo(f"{found.state.full_name}: {known.description} Key: {known.key}.")
    print_table(
        ("partition", "first", "end", "records"),
        [(r.partition, r.first, r.end, r.end - r.first) for r in found.ranges],
    )
    for name, value in found.configs.items():
        click.echo(f"{name} = {value}")


def _condition(state: TopicState) -> str:
    if not state.partitions:
        return "missing"
    return "ok" if state.right else f"has {state.partitions}"


def _json(state: TopicState) -> dict[str, Any]:
    topic = state.topic
    return {
        "topic": topic.name,
        "name": state.full_name,
        "key": topic.key,
        "direction": topic.direction,
        "compacted": topic.compacted,
        "expected_partitions": state.expected,
        "partitions": state.partitions,
        "created": state.created,
    }


def _details(found: TopicDescription) -> dict[str, Any]:
    ranges = [{"partition": r.partition, "first": r.first, "end": r.end} for r in found.ranges]
    return {"ranges": ranges, "configs": dict(found.configs)}
