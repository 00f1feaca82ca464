"""What to show: text, pages, audit bundles."""
