"""Where a service's metrics are, and what it calls those that the runbook reads."""

from typing import Annotated, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from tasks.model.probes.metrics import CONTRACT_NAMES
from tasks.model.setting_types import Endpoint, Table

MetricText = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class MetricName(Table):
    """What a service calls one metric. `values` are by our label, and in it ours by theirs."""

    name: MetricText = Field(description="Its name at the service; of a counter, as it stands in the page.")
    labels: dict[MetricText, MetricText] = Field(
        default_factory=dict, description='Its labels: ours → theirs, as `{ outcome = "result" }`.'
    )
    values: dict[MetricText, dict[MetricText, MetricText]] = Field(
        default_factory=dict, description='Values of its labels, theirs → ours: `{ outcome = { done = "filled" } }`.'
    )
    factor: float = Field(
        default=1.0, gt=0, allow_inf_nan=False, description="What its value is multiplied with, as 1e-9 for ns."
    )


def _metric_table(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


class MetricsSettings(Table):
    """Where metrics are, and their names; those that are not mapped have the names of the contract."""

    path: Annotated[str, StringConstraints(max_length=0)] | Endpoint = Field(
        default="/metrics", description="A path, or an address of its own. Empty: there are none, which is no fault."
    )
    names: dict[str, Annotated[MetricName, BeforeValidator(_metric_table)]] = Field(
        default_factory=dict, description="What the service calls them, by our name; a text is the name alone."
    )

    @model_validator(mode="after")
    def _names_are_read(self) -> Self:
        if wrong := sorted(set(self.names) - CONTRACT_NAMES):
            known = ", ".join(sorted(CONTRACT_NAMES))
            raise ValueError(f"names of metrics that the runbook reads are expected ({known}) was {wrong[0][:80]}")
        for ours, one in self.names.items():
            if wrong := sorted(set(one.values) - set(one.labels)):
                raise ValueError(f"values of {wrong[0][:80]} need its label in names.{ours}.labels")
        return self
