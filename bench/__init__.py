"""Measurements, run side by side in one run on the machine at hand. Nothing of the product imports from here."""
