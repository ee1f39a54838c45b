"""What starts and stops the service: our own supervisor, systemd, or a command."""
