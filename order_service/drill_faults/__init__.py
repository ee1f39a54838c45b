"""Faults that a drill release is built with: `releases build --fault NAME`. No other release holds this package."""
