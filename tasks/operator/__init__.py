"""Steps of a manual action: what a person orders is recorded, planned by the same guards, and ended."""
