"""Real training steps of a run, timed: `benchmark`."""
