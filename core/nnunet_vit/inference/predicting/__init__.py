"""Cases to masks: read, predicted and written at the same time."""
