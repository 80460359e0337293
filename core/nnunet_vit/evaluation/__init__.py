"""Predicted masks against their references: numbers and pictures."""
