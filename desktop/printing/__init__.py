"""Paper: one module a document over one small base."""
