"""What the tests of an incident are built from: observations, plans, stories."""
