"""The page: one flow per runbook section, reading like the page. No I/O, no parsing, no thresholds enter here."""
