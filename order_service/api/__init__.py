"""The doors: HTTP in, HTTP out. No decision is taken here; each door parses, asks one part, and answers."""
