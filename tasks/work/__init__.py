"""Orchestration of a domain: several clients and rules together. It opens no file and imports no outside library."""
