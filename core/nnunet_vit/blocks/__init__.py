"""What heads build on: pyramids, resolutions, mask classification."""
