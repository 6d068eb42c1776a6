"""Load: events sent by a schedule that waits for nobody, and how long each took until its answer was read."""
