"""The order service over HTTP: probes, orders, routing, control plane."""
