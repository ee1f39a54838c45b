"""The Prefect server as this product runs it: login, own origin, SQLite or PostgreSQL, Redis."""
