"""One file a family of causes: evidence in, a finding with its numbers out, or None. Nothing else enters here."""
