"""What only tests and measurements use: here a clock is allowed."""
