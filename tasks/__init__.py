"""The steps: one public task a file, named as the file. Steps never call steps; libraries enter by tasks.clients."""
