"""Who gets how much."""
