"""Campaigns of faults on real parts: what is broken on purpose, and the judge of what came of it."""
