"""Help: the users' manual, and whom to tell what is wrong with the program."""
