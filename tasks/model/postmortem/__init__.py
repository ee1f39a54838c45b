"""Postmortems, impact and regression fixtures."""
