"""Alembic's folder: one file a step, run when the server starts."""
