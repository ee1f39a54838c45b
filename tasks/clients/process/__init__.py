"""The host: processes, listeners, sessions, numbers of the machine, stacks, commands."""
