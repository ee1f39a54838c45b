"""The steps: one public task a file, named as the file. A step never calls a step; libraries enter by tasks.clients alone."""
