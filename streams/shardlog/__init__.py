"""The protocol of a shard's log, without any input or output: what to append, what to apply, when to publish.

The worker over Kafka, the offline run and the random simulator drive the same state machines:

| module | what |
|---|---|
| `positions` | which sources a log has, vectors of positions, cuts |
| `inputs` | runs of records as they were read and decoded |
| `sequencer` (`queue`, `merge`, `composer`) | from inputs to records, live and in windows |
| `records`, `encoding` | the records of a log and their bytes |
| `fold` | from records to state, positions and outputs |
| `recent` | work on market data that the logs of one worker share |
| `unit` (`outbox`, `checkpoint`) | one worker's hold on one partition: claim, fence, publish, checkpoint |
| `local` | sequencer and fold joined without a broker |
"""
