"""What a person may choose, and who works here."""
