"""The building blocks of the screen; pages are put together from them."""
