"""Whether a way of tracing is good enough to pay by: held against honest retrainings."""
