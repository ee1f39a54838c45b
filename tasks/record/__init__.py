"""Steps that write down: ledger, evidence, plan, report, postmortem."""
