"""A planned run tried on this machine: two real steps, and how fast its batches are made."""
