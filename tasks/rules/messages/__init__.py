"""What people are notified, for each event and audience."""
