"""How sync stands."""
