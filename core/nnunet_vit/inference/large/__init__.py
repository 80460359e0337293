"""Images that are never whole in memory: read, predicted and written strip by strip."""
