"""What the service shows of itself: health, metrics, logs, events, incidents. No order waits for any of it."""
