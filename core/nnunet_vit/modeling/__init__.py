"""Everything that needs torch but not nnU-Net: backbone, weights, input bridge, network."""
