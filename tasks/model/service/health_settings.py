"""How a service says that it is healthy: where it is asked, which status, and what must be true of the answer."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from tasks.model.service.expressions import Expression, LinearPattern
from tasks.model.setting_types import Endpoint, Table

StatusCode = Annotated[int, Field(ge=100, le=599)]


class HealthSettings(Table):
    """What a healthy answer is; what is not known to be true is not healthy. Defaults: the bundled service."""

    path: Endpoint = Field(default="/health", description="Where it is asked: a path, or an address of its own.")
    status_codes: tuple[StatusCode, ...] = Field(
        default=(200,), min_length=1, description="Status codes of an answer that may be healthy."
    )
    healthy_when: Expression = Field(
        default="status == 'ok'", description="True of a healthy answer ([JMESPath](https://jmespath.org))."
    )
    degraded_when: Expression = Field(
        default="status == 'degraded'",
        description="True of a service that works, with less; it wins over healthy_when. JMESPath.",
    )
    body_matches: LinearPattern | None = Field(
        default=None, description="Instead, for an answer that is not JSON: a pattern (RE2) that it must match."
    )
    dependencies: Expression = Field(
        default="dependencies",
        description="What it says of its dependencies: a list of `name` and `status`, or name → status. JMESPath.",
    )
    release: Expression = Field(default="release", description="Where its release stands; JMESPath.")
    started_at: Expression = Field(default="started_at", description="Where its start time stands; JMESPath.")

    @model_validator(mode="after")
    def _one_way_to_read_it(self) -> Self:
        conditions = {"healthy_when", "degraded_when"} & self.model_fields_set
        if self.body_matches is not None and conditions:
            raise ValueError(f"body_matches stands instead of {' and '.join(sorted(conditions))}; keep one of them")
        return self
