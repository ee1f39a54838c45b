"""People: what a role allows, and whether an order needs a second person."""
