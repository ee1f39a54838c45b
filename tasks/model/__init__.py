"""The frozen vocabulary: evidence, diagnosis, incident, order, errors. Values only; no I/O and no decisions enter here."""
