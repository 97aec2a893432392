"""The worker: a Faust app that reads the inputs, writes the shards' logs, folds them and sends what they
say."""
