"""The steps of the database's shape, in order."""
