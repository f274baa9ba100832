"""The store: one encrypted SQLite file with its queries; every read takes a viewer."""
