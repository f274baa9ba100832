"""Today: what is due, and what was recorded."""
