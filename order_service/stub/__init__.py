"""A scripted patient: the whole HTTP contract of the order service, well or ill in one named way, for anyone's CI.

Only the standard library enters here: it must start in a moment and needs no gateway, no journal, no release.
"""
