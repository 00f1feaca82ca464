"""Evidence that nothing was altered: tree, checkpoint, signature. Knows nothing of facts."""
