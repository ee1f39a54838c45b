"""Ills that a drill release is built with: `releases build --fault NAME`. No other release holds this package.

Each module puts one fault into the running code from outside, so that the healthy code neither knows nor pays for it.
"""
