"""Who is in front of the screen."""
