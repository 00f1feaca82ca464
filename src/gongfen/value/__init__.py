"""What labour is worth."""
