"""What runs on a cluster, measured as far as one machine can."""
