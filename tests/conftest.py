"""What all tests may ask for."""

pytest_plugins = ["servers", "stations", "returned", "trees"]
