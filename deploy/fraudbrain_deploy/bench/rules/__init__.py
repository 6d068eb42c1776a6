"""Rules: what it costs to evaluate all of them on an event, beside other engines and as their number grows."""
