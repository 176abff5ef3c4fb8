"""The container image every component runs in."""

from lookalike import __version__

IMAGE = f"lookalike/components:{__version__}-python3.11"
"""Carries the version, so a new library version never answers from an old cache."""
