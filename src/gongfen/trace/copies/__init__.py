"""What an output has word for word, or nearly, in common with works, and works with one another."""
