"""One action at a time on a service: on this host, and across hosts."""
