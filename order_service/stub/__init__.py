"""A scripted order service: the whole HTTP contract, healthy or not in one named way, for anyone's CI.

Only the standard library enters here: it must start in a moment and needs no gateway, no journal, no release.
"""
