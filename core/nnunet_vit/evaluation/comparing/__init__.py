"""Runs on the same cases: which is better, and what may be noise."""
