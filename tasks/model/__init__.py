"""The frozen vocabulary: evidence, diagnosis, incident, order, errors. No I/O and no decisions enter here."""
