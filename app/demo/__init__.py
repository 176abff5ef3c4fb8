"""The demo: the whole loop on one machine, from a catalogue to a retrained release."""
