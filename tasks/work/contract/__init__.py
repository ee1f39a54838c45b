"""Ask a service once for everything that its description names, and say what can be read."""
