"""The gateways: the only place that speaks to a venue. Outcomes leave here as values, never as exceptions."""
