"""What people look at: progress, overlays, tables."""
