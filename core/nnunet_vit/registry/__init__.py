"""Names to plugins, read from package metadata: nothing is imported until it is asked for."""
