"""A past incident as a test: its stored evidence, the causes that it must be given, and what the rules of now say."""

from typing import Literal

from pydantic import AwareDatetime, Field

from tasks.model.diagnosis.diagnosis import Audience, Cause, Confidence, Finding, Kind
from tasks.model.evidence.stored_run import Difference
from tasks.model.values import Value


class ExpectedCause(Value):
    """What must not change of a finding; the words of its reasons may."""

    cause: Cause
    confidence: Confidence
    tier: Audience
    kinds: tuple[Kind, ...] = ()
    asset_classes: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()
    release: str | None = None
    feature: str | None = None
    strategies: tuple[str, ...] = ()

    @classmethod
    def of(cls, finding: Finding) -> "ExpectedCause":
        return cls(
            cause=finding.cause,
            confidence=finding.confidence,
            tier=finding.tier,
            kinds=finding.kinds,
            asset_classes=finding.asset_classes,
            gateways=finding.gateways,
            release=finding.release,
            feature=finding.feature,
            strategies=finding.strategies,
        )


class Regression(Value):
    """One fixture as its file holds it: `evidence` names the stored run beside it. A person may correct `expected`."""

    version: Literal[1] = 1
    incident_id: str
    service: str
    written_at: AwareDatetime
    evidence: str = Field(max_length=255, pattern=r"^[A-Za-z0-9][A-Za-z0-9._~-]*$")
    expected: tuple[ExpectedCause, ...]


class RegressionReplay(Value):
    """The causes that are expected beside those that the rules of now name; or why it could not be replayed."""

    incident_id: str
    file: str
    expected: tuple[ExpectedCause, ...] = ()
    named: tuple[ExpectedCause, ...] = ()
    differences: tuple[Difference, ...] = ()
    unreadable: str = ""

    @property
    def same(self) -> bool:
        """Say whether the rules of now still name the causes that are expected."""
        return not self.differences and not self.unreadable
