"""All that one run saw, frozen."""
