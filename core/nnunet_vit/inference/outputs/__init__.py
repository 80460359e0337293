"""What a prediction writes beside its masks."""
