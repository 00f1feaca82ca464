"""What other tools have recorded, read into plain data: labour with its quality, machine time, and what is doubtful."""
