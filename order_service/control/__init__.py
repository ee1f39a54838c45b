"""What people and their tools set: gateways, routes, trading states, strategies, features. Survives restarts."""
