"""A venue for drills: one process that speaks the gateway protocol on real sockets and breaks on command.

Nothing of the order service itself enters here: the two meet over HTTP, as with a real venue.
"""
