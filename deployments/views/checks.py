"""Checks for a person: what each watches, why it was drafted, who decided, and what it says of a run."""

from collections.abc import Iterable

from rich.text import Text

from deployments.views.check import TIERS
from deployments.views.terminal import BOLD, DIM, GOOD, UNSURE, facts, line
from tasks.model.checks import Check, CheckResult, CheckStatus
from tasks.rules.checks import rule_words
from tasks.rules.times import utc_text

STYLES = {CheckStatus.DRAFT: UNSURE, CheckStatus.ACCEPTED: GOOD, CheckStatus.REJECTED: DIM}


def result_lines(results: tuple[CheckResult, ...]) -> list[Text]:
    """Tell the early warnings, and which accepted checks nobody could hold against this run."""
    fired = [one for one in results if one.fired]
    unsure = [one for one in results if one.fired is None]
    told = [line("  ", ("early warning", UNSURE), f"  {one.check_id}  {one.detail}") for one in fired]
    told += [line("  ", ("not measured", DIM), f"  {one.check_id}  {one.detail}") for one in unsure]
    return [line(), *told] if told else []


def list_lines(checks: tuple[Check, ...], broken: tuple[str, ...]) -> list[Text]:
    """Tell every check on one line, and every file that is none."""
    rows = [
        line((check.check_id, BOLD), "  ", (check.status.value, STYLES[check.status]), f"  {rule_words(check.rule)}")
        for check in checks
    ]
    return [*(rows or [line("No checks yet; each incident that is over drafts some.")]), *_broken(broken)]


def show_lines(check: Check) -> list[Text]:
    """Tell everything of one check, and how to decide on it."""
    decided = f"{check.decided_by}, {utc_text(check.decided_at)}" if check.decided_at else None
    known = facts(
        (
            ("watches", rule_words(check.rule)),
            ("service", check.service),
            ("owner", TIERS[check.owner]),
            ("incident", check.incident_id),
            ("drafted", utc_text(check.drafted_at)),
            ("decided by", decided),
            ("reason", check.reason),
        )
    )
    because = [line("  ", ("because    ", DIM), reason) for reason in check.because]
    ways = {
        CheckStatus.DRAFT: "accept or reject it: runbook checks accept ID",
        CheckStatus.ACCEPTED: "it is on; runbook checks reject ID switches it off",
        CheckStatus.REJECTED: "it is off; runbook checks accept ID switches it on",
    }
    head = line((check.check_id, BOLD), "  ", (check.status.value, STYLES[check.status]))
    return [head, *known, *because, line((ways[check.status].replace("ID", check.check_id), DIM))]


def _broken(broken: Iterable[str]) -> list[Text]:
    return [line(("could not read ", UNSURE), one) for one in broken]
