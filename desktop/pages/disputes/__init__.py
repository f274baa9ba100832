"""Small disputes: noticed, settled on the spot, called again, put on file; or handed on."""
