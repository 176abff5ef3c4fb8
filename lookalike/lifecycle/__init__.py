"""What happens to a release after it went into service: updates, erasure, clearing away."""
