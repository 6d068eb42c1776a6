"""The fast tier as a whole, broker to broker, beside an echo that decides nothing."""
