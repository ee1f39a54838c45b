"""Slack by hand, over real HTTP and WebSocket."""
