"""What a container, a journal or syslog puts around the line of a program: taken off, whoever put it there."""
