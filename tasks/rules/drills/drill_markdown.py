"""The score of a drill for people."""

from tasks.model.drills.drills import DrillScore
from tasks.model.incidents.incident import Action
from tasks.rules.drills.catalogue import drill_of
from tasks.rules.formats.markdown_cells import cell, table


def score_line(score: DrillScore) -> str:
    """Tell the score in one line, what must be nought first."""
    orders = score.orders
    unsafe = (
        (len(score.forbidden), "forbidden"),
        (len(orders.lost), "lost"),
        (len(orders.doubled), "doubled"),
        (len(orders.unproven), "unproven"),
    )
    found = ", ".join(f"{count} {word}" for count, word in unsafe if count) or orders.blind or "safe"
    return f"{score.drill}: {found}; {', '.join(inexact(score)) or 'exact'}"


def inexact(score: DrillScore) -> tuple[str, ...]:
    is_control = drill_of(score.drill).expected.is_control
    parts = (
        ("not felt", is_control and not score.felt),
        ("false alarm" if is_control else "not detected", bool(score.incidents) if is_control else not score.detected),
        ("cause", not score.cause_exact),
        ("actions", not score.actions_exact),
        ("tier", not score.tier_exact),
        ("not verified", not score.verified),
    )
    return tuple(word for word, is_wrong in parts if is_wrong)


def score_markdown(score: DrillScore) -> str:
    """Write the score as Markdown: what was expected beside what was seen."""
    drill = drill_of(score.drill)
    expected = drill.expected
    rows = (
        ("cause", expected.cause or "none", ", ".join(score.causes)),
        ("actions", " or ".join(words(one) for one in expected.actions), ", ".join(score.actions)),
        ("forbidden", words(expected.forbidden), ", ".join(score.forbidden)),
        ("tier", expected.tier or "none", ", ".join(score.tiers)),
        ("to detect", "", seconds(score.detect_s)),
        ("to act", "", seconds(score.act_s)),
        ("to recover", "" if expected.heals else "not by itself", seconds(score.recover_s)),
        ("healthy afterwards", "yes", "yes" if score.verified else "no"),
        ("messages", "", f"{score.messages_count} of {len(score.incidents)} incidents"),
        ("orders", "none lost, none doubled", _orders(score)),
    )
    lines = table(("", "expected", "was"), ((name, cell(str(want)), cell(was) or "none") for name, want, was in rows))
    return "\n".join((f"## {score.drill}: {cell(drill.fault)}", "", cell(score_line(score)), "", *lines))


def words(actions: frozenset[Action]) -> str:
    return ", ".join(sorted(str(one).replace("_", " ") for one in actions)) or "none"


def seconds(value: float | None) -> str:
    """Write a time; a dash where it did not happen."""
    return "-" if value is None else f"{value:.1f} s"


def _orders(score: DrillScore) -> str:
    orders = score.orders
    found = f"{orders.sent_count} sent, {len(orders.lost)} lost, {len(orders.doubled)} doubled"
    return f"{found}, {len(orders.unproven)} not proven{f'; {orders.blind}' if orders.blind else ''}"
