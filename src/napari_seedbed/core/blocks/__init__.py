"""Objects of volumes that are read block by block: small parts of each block, then joined."""
