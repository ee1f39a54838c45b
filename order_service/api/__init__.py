"""HTTP in, HTTP out. Nothing is decided here; each route parses, asks one part of the service, and answers."""
