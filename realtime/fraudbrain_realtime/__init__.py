"""The fast tier: decides on every event from memory."""
