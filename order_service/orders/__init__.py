"""The way of one order: what a client may ask, the checks before it is sent, its outcome, its cancel, its answer."""
