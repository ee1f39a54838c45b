"""Mutants of the deciding rules, and whether a fast test dies of each: `make mutants`. The tree is not touched."""
