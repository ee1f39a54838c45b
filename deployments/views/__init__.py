"""What a person at a terminal sees. Text only: nothing is started, stopped or decided here."""
