"""`python -m app` is the `lookalike` command."""

from app.cli import main

main()
