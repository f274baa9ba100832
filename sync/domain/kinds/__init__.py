"""The kinds, declared once each; ``sync.domain.catalogue`` gathers them."""
