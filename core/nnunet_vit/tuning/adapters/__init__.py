"""What the methods with low-rank adapters share; it is no method itself."""
