"""Reports, progress and charts."""
