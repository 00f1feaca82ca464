"""What happened: immutable facts, their units, their canonical bytes."""
