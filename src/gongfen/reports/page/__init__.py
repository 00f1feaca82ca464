"""The report as one page that needs nobody."""
