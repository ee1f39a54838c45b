"""How far the page is followed, and when a service has recovered."""
