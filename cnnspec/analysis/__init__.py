"""What can be computed from a network: one fold over its layers per file."""
