"""Households: the list of doors with the card, the form that changes it, and a new building."""
