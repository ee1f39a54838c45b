"""The ladder of §3: on-call, then the developer lead, then SRE and the platform. The desk is no rung of it."""

from tasks.model.diagnosis.diagnosis import Audience

TIER_NAMES = {
    Audience.DESK: "trading desk",
    Audience.TIER_1: "tier 1, on-call",
    Audience.TIER_2: "tier 2, developer lead",
    Audience.TIER_3: "tier 3, SRE and platform",
}
TIERS = (Audience.TIER_1, Audience.TIER_2, Audience.TIER_3)


def tier_of(named: Audience | None) -> Audience:
    """Give the tier in charge; where none is named it is the on-call."""
    return named if named in TIERS else Audience.TIER_1


def tiers_above(tier: Audience) -> tuple[Audience, ...]:
    """Name the tiers above one, the next one first."""
    return TIERS[TIERS.index(tier) + 1 :]


def higher_tier(one: Audience | None, other: Audience | None) -> Audience | None:
    """Choose the higher of two tiers: what has been escalated is not taken down again by another word for it."""
    known = [tier for tier in (one, other) if tier in TIERS]
    return max(known, key=TIERS.index, default=other or one)
