"""Everything of 敲门 that knows no window: domain, store, wire, client and server."""
