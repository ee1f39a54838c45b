"""The doors through which a drill breaks the local stack, watches it and fixes it; each refuses any other stack."""
