"""The parts of a replay: sending a file at a pace, reading what was decided, waiting for the last one, reporting."""
