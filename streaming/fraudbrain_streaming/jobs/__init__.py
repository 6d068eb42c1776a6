"""The jobs of the slow tier: each is a query with its own checkpoint and can run alone."""
