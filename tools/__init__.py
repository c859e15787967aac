"""What builds the course; not part of the installed package."""
