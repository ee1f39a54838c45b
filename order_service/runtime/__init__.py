"""How the service is put together, started and ended, and what all folders use: settings, codes, clock, files."""
