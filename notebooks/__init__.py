"""Notebooks for people who run the service, and what executes them."""
