"""Where it is made: bring in, train, generate, measure; ends in facts."""
