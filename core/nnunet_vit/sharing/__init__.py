"""A trained model for other programs and other people."""
