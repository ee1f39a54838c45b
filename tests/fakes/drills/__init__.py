"""Game days on a real stack."""
