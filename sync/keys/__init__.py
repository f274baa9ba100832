"""Secrets and signatures: the only home of ``cryptography``.

``slots`` opens the database with a PIN, ``signatures`` proves which installation sent a request, ``codes`` are the
codes that people read from paper.
"""
