"""An incident as a fold over the ledger: its state, its transitions, its escalation."""
