"""Hand-written stand-ins that the tests share."""
