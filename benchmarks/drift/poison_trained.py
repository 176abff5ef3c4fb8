"""Poisoned feedback and deliveries that a real network is trained on."""
