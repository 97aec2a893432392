"""Events, topics and binary frames of the public contract: the one place where fields and units are coded.

| module | what |
|---|---|
| `units`, `errors` | integers inside, decimal strings outside; `BadRecord` names field and reason |
| `topics`, `routing` | registry of topics; where an account lives |
| `market`, `reference`, `account`, `orders`, `commands`, `alerts` | the typed events |
| `events` | one JSON record to a typed event and back |
| `batches`, `batch_decoding`, `account_decoding` | structures of arrays; many records into one at once |
| `frames` | many events in one binary record |
| `jsonschema`, `asyncapi` | JSON Schema of every public topic (`schemas/json`), AsyncAPI document |
"""

from schemas.batches import AccountBatch, MarkBatch, QuoteBatch, TradeBatch
from schemas.errors import BadRecord
from schemas.events import decode, decode_opening, decode_parsed, encode
from schemas.topics import PUBLIC_TOPICS, TOPICS, Topic

__all__ = [
    "PUBLIC_TOPICS",
    "TOPICS",
    "AccountBatch",
    "BadRecord",
    "MarkBatch",
    "QuoteBatch",
    "Topic",
    "TradeBatch",
    "decode",
    "decode_opening",
    "decode_parsed",
    "encode",
]
