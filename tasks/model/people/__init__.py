"""People: who they are at each door, and what their role lets them do."""
