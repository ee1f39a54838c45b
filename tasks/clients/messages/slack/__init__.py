"""Slack: Web API, threads, files, Socket Mode."""
