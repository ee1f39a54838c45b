"""Messages, channels and their delivery."""
