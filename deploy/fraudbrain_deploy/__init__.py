"""The `fraudbrain` command: starts the tiers as processes and serves the operators."""
