"""The incident ledger on disk, and the small changes that people make to it."""
