"""Double entry, in labour time and in money."""
