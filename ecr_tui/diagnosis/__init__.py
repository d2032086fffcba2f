"""What an error text of Docker, a registry or AWS means: pure functions of the text, and the catalogue they read."""
