"""People: who is on call now, by the rota of the settings or by a calendar."""
