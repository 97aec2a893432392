"""Black-box tests over Kafka: they know the contract, a plain client, and how a worker is started."""
