"""Visits: one household in the form, a whole building by single keys, and the printed door sheet."""
