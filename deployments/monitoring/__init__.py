"""Our own metrics, the alert receiver, a dead man's switch; rules and dashboards of Prometheus and Grafana.

It probes nothing of the service but its liveness and decides nothing about it. It must not import Prefect, so that it
starts at once and stays small.
"""
