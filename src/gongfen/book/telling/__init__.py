"""A book as the report page tells it."""
