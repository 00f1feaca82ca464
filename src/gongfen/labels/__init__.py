"""What an output carries."""
