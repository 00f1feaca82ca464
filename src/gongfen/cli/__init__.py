"""The verbs on a command line, one file a verb."""
