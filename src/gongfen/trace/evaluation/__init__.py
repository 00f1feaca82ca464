"""How good a tracer is, held against honest retraining: scores, retrainings, the verdict. Nothing touches a disk."""
