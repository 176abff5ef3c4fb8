"""The command line and the demo: they wire rooms that do not know one another."""
