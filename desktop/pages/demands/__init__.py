"""Demands on the screen: the card of one demand, and the list by stage."""
