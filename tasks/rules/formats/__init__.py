"""Times, durations, JSON values, markdown cells."""
