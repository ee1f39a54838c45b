"""Delivery of messages: outbox, dispatcher, channels."""
