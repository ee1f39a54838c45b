"""The monitored order service, a package of its own. Nothing of flows, tasks or deployments enters here."""
