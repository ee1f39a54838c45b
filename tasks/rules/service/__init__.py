"""Read and write in an order service's own words, as its description says."""
