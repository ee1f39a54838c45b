"""A described change: what is sent, what cannot be said, and what proves it."""

from typing import Any

import pytest
from pydantic import ValidationError

from tasks.model.incidents.incident import Action
from tasks.model.probes.control import ControlReason
from tasks.model.probes.orders import AssetClass
from tasks.model.remediation.plan import Target
from tasks.model.service.control_settings import ControlAction, ControlKey, ControlSettings
from tasks.rules.service.control_action import (
    all_show,
    is_proven,
    key_of,
    not_available,
    proof_of,
    request_of,
    standing_of,
)

WHY = ControlReason(reason='--force "now" \\ ${state}', set_by="-kim")
HALT = {"asset_class": "equity", "state": "halted"}
EQUITY = frozenset({"equity"})
STATE_OF = {"command": ("ctl", "halt", "${asset_class}"), "proven_by": ("ctl", "state", "${asset_class}")}


def action(**keys: Any) -> ControlAction:
    """One described change."""
    return ControlAction.model_validate(keys)


def test_a_reason_is_no_way_out_of_the_body() -> None:
    """A person types it, and it stands in the JSON of a foreign service."""
    halting = action(path="/halt/${asset_class}", body='{"state": "${state}", "why": "${reason}"}')

    sent = request_of(halting, HALT, WHY)

    assert not isinstance(sent, str)
    assert (sent.path, sent.body) == ("/halt/equity", '{"state": "halted", "why": "--force \\"now\\" \\\\ ${state}"}')


def test_a_reason_is_no_option_of_a_command() -> None:
    """It stays one argument, and never begins with a dash."""
    sent = request_of(action(command=("ctl", "halt", "${asset_class}", "${reason}", "${set_by}")), HALT, WHY)

    assert not isinstance(sent, str)
    assert sent.command == ("ctl", "halt", "equity", 'force "now" \\ ${state}', "kim")


def test_a_body_that_is_no_json_once_it_is_filled_is_not_sent() -> None:
    """A value without its quotes is a template to correct, and no request to try."""
    assert isinstance(request_of(action(path="/halt", body='{"state": ${state}}'), HALT, WHY), str)


def test_the_service_is_asked_in_its_own_words() -> None:
    """Also in the proof: its HALT is our halted."""
    halting = action(
        path="/s/${asset_class}/${state}",
        words={"halted": "HALT", "equity": "EQ"},
        proven_by="/s/${asset_class}",
        proven_when="state == '${state}'",
    )

    sent, proof = request_of(halting, HALT, WHY), proof_of(halting, HALT)

    assert not isinstance(sent, str)
    assert (sent.path, proof and proof.path) == ("/s/EQ/HALT", "/s/EQ")
    assert is_proven(halting, HALT, '{"state": "HALT"}', by_command=False) is True
    assert is_proven(halting, HALT, '{"state": "halted"}', by_command=False) is False


@pytest.mark.parametrize(
    ("text", "proven"),
    [
        ("", True),
        ("halted\n", True),
        ("equity: HALTED", True),
        ("state=halted", True),
        ("active", False),
        ("not halted", None),
        ("halted: no", None),
        ("was halted, now active", None),
        ("ok", None),
        ("error: cannot connect", None),
    ],
)
def test_a_proving_command_is_believed_only_where_it_says_the_state_or_nothing(text: str, proven: bool | None) -> None:
    """Many tools end with 0 whatever they print."""
    assert is_proven(action(**STATE_OF), HALT, text, by_command=True) is proven


def test_a_command_alone_proves_nothing_whatever_it_writes() -> None:
    """Exit code 0 halts nothing; nor does a word of the very program that was to do it."""
    for text in ("", "halted"):
        assert is_proven(action(command=("ctl", "halt")), HALT, text, by_command=True) is None
    asked = action(path="/halt", proven_by=("ctl", "state"))
    assert is_proven(asked, HALT, "halted", by_command=False) is None


def test_a_program_may_warn_before_it_answers() -> None:
    """Its last line is read then."""
    asked = action(command=("ctl", "halt"), proven_when="state == '${state}'", proven_by=("ctl", "state"))

    assert is_proven(asked, HALT, 'warning: old config\n{"state": "halted"}\n\n', by_command=True) is True
    assert is_proven(asked, HALT, 'warning\n{"state": "halted"}', by_command=False) is None


def test_a_proof_is_asked_for_in_the_services_words() -> None:
    """By a command as by a path."""
    asked = action(command=("ctl", "halt"), words={"equity": "EQ"}, proven_by=("ctl", "state", "${asset_class}"))
    proof = proof_of(asked, HALT)

    assert proof is not None
    assert proof.command == ("ctl", "state", "EQ")
    assert proof_of(action(command=("ctl", "halt")), HALT) is None


@pytest.mark.parametrize(
    ("wanted", "target", "key"),
    [
        (Action.PAUSE_STRATEGIES, Target(asset_class=AssetClass.EQUITY), ControlKey.PAUSE),
        (Action.PAUSE_STRATEGIES, Target(strategy="mm"), ControlKey.PAUSE_STRATEGY),
        (Action.RESUME, Target(asset_class=AssetClass.EQUITY), ControlKey.RESUME),
        (Action.RESUME, Target(strategy="mm"), ControlKey.RESUME_STRATEGY),
        (Action.RESUME, Target(gateway="XNAS"), ControlKey.CLEAR_MARK),
        (Action.MARK_DEGRADED, Target(gateway="XNAS", strategy="mm"), ControlKey.MARK_DEGRADED),
        (Action.DISABLE_FEATURE, Target(feature="f"), ControlKey.DISABLE_FEATURE),
        (Action.REROUTE_ORDERS, Target(asset_class=AssetClass.EQUITY), ControlKey.REROUTE),
        (Action.RESTORE_ROUTING, Target(table_hash="a"), ControlKey.RESTORE_ROUTING),
        (Action.RESTART_SERVICE, Target(), None),
        (Action.ROLL_BACK_RELEASE, Target(release="1"), None),
    ],
)
def test_each_action_has_the_key_of_its_target(wanted: Action, target: Target, key: ControlKey | None) -> None:
    """A strategy is not paused by the door of its class."""
    assert key_of(wanted, target) is key


@pytest.mark.parametrize(
    ("found", "shows"),
    [((True, True), True), ((True, False), False), ((None, False), False), ((True, None), None), ((), None)],
)
def test_a_change_shows_where_each_instance_shows_it(found: tuple[bool | None, ...], shows: bool | None) -> None:
    """One that does not is a no, whatever the others say."""
    assert all_show(found) is shows


def test_a_halt_needs_no_state_in_its_template_or_its_proof() -> None:
    """It can be nothing else."""
    plain = action(path="/halt/${asset_class}", proven_when="halted")

    assert not not_available(ControlKey.PAUSE, plain, HALT, EQUITY)


def test_a_pattern_is_filled_with_text_and_no_pattern() -> None:
    """A dot in a name is a dot; the dollar sign at the end is the end."""
    marked = action(
        command=("ctl", "mark", "${gateway}"), proven_matches="^${gateway} degraded$", proven_by=("ctl", "s")
    )

    assert is_proven(marked, {"gateway": "X.1"}, "X.1 degraded\n", by_command=True) is True
    assert is_proven(marked, {"gateway": "X.1"}, "Xy1 degraded", by_command=True) is False


@pytest.mark.parametrize(
    ("key", "keys", "values"),
    [
        (ControlKey.PAUSE, {"path": "/halt"}, {**HALT, "state": "reducing"}),
        (ControlKey.PAUSE, {"path": "/s/${state}", "words": {"halted": "H"}}, {**HALT, "state": "reducing"}),
        (
            ControlKey.PAUSE,
            {"path": "/s/${state}", "proven_when": "halted", "proven_by": "/s"},
            {**HALT, "state": "reducing"},
        ),
        (
            ControlKey.REROUTE,
            {"path": "/r/${asset_class}/${gateway}"},
            {"asset_class": "equity", "gateway": "X", "scope": "synthetic"},
        ),
        (ControlKey.RESUME, {"path": "/resume"}, {"asset_class": "fx", "state": "active"}),
    ],
)
def test_what_its_template_cannot_say_is_not_available(
    key: ControlKey, keys: dict[str, Any], values: dict[str, str]
) -> None:
    """Else another change than the one meant would be made, and called by its name."""
    assert not_available(key, action(**keys), values, EQUITY)


def test_one_door_for_everything_may_halt_and_lets_trade_again_only_where_there_is_one_class() -> None:
    """To halt more than was asked tightens; to resume more loosens."""
    assert not not_available(ControlKey.PAUSE, action(path="/halt"), HALT, frozenset({"equity", "fx"}))
    assert not_available(ControlKey.PAUSE, action(path="/halt"), HALT, frozenset({"fx"}))
    resumed = {"asset_class": "equity", "state": "active"}
    assert not not_available(ControlKey.RESUME, action(path="/resume"), resumed, EQUITY)
    assert not_available(ControlKey.RESUME, action(path="/resume"), resumed, frozenset({"equity", "fx"}))


@pytest.mark.parametrize(
    ("asked", "stands"),
    [
        ([("halted", True)], "halted"),
        ([("halted", False)], "active"),
        ([("halted", False), ("reducing", True)], "reducing"),
        ([("halted", None)], None),
        ([("halted", False), ("active", True)], "active"),
        ([("halted", False), ("active", False)], None),
        ([("halted", True), ("active", True)], None),
        ([("degraded", False)], "enabled"),
        ([], None),
    ],
)
def test_how_a_class_stands_is_read_off_the_proofs_or_not_known(
    asked: list[tuple[str, bool | None]], stands: str | None
) -> None:
    """A proof that could not be read is no proof that nothing is halted."""
    assert standing_of(asked) == stands


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"pause": {}}, "a path or a command"),
        ({"pause": {"path": "/a", "command": ["b"]}}, "a path or a command"),
        ({"pause": {"path": "a"}}, "path"),
        ({"pause": {"command": ["${state}"]}}, "a program without"),
        ({"pause": {"path": "/a", "proven_by": "/b"}}, "needs proven_when"),
        ({"pause": {"path": "/a", "proven_when": "]["}}, "JMESPath"),
        ({"pause": {"path": "/a/${symbol}"}}, "${symbol}"),
        ({"pause": {"path": "/a", "proven_when": "x == '${reason}'"}}, "${reason}"),
        ({"pause": {"path": "/a", "words": {"halted": "can't"}}}, "words"),
        ({"mark_degraded": {"path": "/a"}}, "${gateway}"),
        ({"disable_feature": {"command": ["a", "b"]}}, "${feature}"),
        ({"halt": {"path": "/a"}}, "halt"),
    ],
)
def test_a_wrong_description_is_one_clear_line(table: dict[str, Any], said: str) -> None:
    """It is found when it is written, and not at 3 a.m."""
    with pytest.raises(ValidationError) as error:
        ControlSettings.model_validate(table)

    assert said in str(error.value)
