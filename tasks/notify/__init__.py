"""Steps that notify people, and record what they answered."""
