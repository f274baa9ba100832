"""The screens: a folder a page; pages never import each other, they navigate by name."""
