"""Pure decisions on plain values, with the clock passed in. No I/O, no settings, no Prefect enters here."""
