"""The verbs: what the command line, the pages and Python programs share."""
