"""Drills: traffic with a named shift through the whole loop, to see what each watcher says and what is decided."""
