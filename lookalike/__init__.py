"""Lookalike: visual product search for marketplaces."""

__version__ = "0.1.0"
