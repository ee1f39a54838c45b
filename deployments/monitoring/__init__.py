"""What watches the watch: our own metrics, the receiver of alerts, the rules and dashboards of Prometheus and Grafana.

It looks at nothing of the patient and decides nothing about it; it must not import Prefect, so that it starts at once
and stays small.
"""
