"""Whose work is in an output or a period: measured once, and recorded with how it was measured."""
