"""How a network is run: device, precision, batches in parts, outputs."""
