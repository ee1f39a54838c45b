"""How files are opened, locked, appended and replaced."""
