"""When a page is due, and what an acknowledgement changes."""
