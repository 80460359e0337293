"""A new head's package, written from a template."""
