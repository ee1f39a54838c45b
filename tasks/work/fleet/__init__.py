"""Many services in one sweep, and the dead man's switch that watches the sweep."""
