"""Steps that act, and what belongs around an action: the plan, the lock, the snapshot, the proof of recovery."""
