"""Hostile bytes for every parser."""
