"""What lets an outsider check: the log as files, witnesses, bundles, and whether a book agrees with itself."""
