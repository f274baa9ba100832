"""The program with an invented community: demonstration, practice, and the tour that drives the real window."""
