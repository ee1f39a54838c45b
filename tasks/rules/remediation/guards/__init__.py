"""The guards: each a rule of the product's conscience, pure, and a verdict with its numbers. Nothing is done here."""
