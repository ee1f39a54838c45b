"""From a diagnosis to a plan: which actions the runbook asks for, in which order. Nothing is done here."""
