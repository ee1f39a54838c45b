"""The patient: an order service of its own. Nothing of flows, tasks or deployments enters here."""
