"""Checks that catch an incident next time: drafted from its evidence, accepted by a person."""
