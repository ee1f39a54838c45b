"""Start a command as a script starts what it puts in the background: deaf to Ctrl-C."""

DEAF = ("sh", "-c", "trap '' INT; exec \"$@\"", "sh")
