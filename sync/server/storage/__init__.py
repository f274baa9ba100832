"""Storage: synchronous functions over one database connection, the same statements on SQLite and PostgreSQL."""
