"""What each probe saw, as values."""
