"""What one answer says: health, metrics, orders, routing, control plane, clock."""
