"""The local stack: its parts, ports and files; how it starts, is watched, and stops."""
