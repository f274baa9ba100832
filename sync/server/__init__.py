"""The sync server: authorises, validates, merges, gives positions, feeds; on SQLite one process, on PostgreSQL many."""
