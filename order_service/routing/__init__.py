"""The routing table: read, kept by its hash, put back, shown."""
