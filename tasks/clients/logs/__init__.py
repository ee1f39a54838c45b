"""Log files: found through rotations, scanned in blocks, remembered by checkpoints."""
