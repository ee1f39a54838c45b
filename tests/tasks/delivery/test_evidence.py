"""What goes along with a page, and what must not."""

from datetime import timedelta

from pydantic import SecretStr

from tasks.clients.messages.known_secrets import secret_values
from tasks.model.diagnosis.diagnosis import Audience, Diagnosis, Status
from tasks.model.logs.findings import LogCheck, LogFinding, LogKind, LogScan, Severity
from tasks.model.messages.messages import Attachment
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Exchange, Fault, Observation, OrderOutcome
from tasks.model.reports.report import TriageStory
from tasks.rules.messages.attachments import EXCHANGE_FILE, FILE_LIMIT_BYTES, LOG_FILE, evidence_files, with_evidence
from tasks.rules.messages.redaction import redacted
from tasks.settings import RunbookSettings, ServiceSettings
from tests.fakes.incident.observations import NOW, evidence, health, observation, order
from tests.tasks.delivery.telling import message

EXCHANGE = Exchange(
    method="POST",
    url="http://service/orders",
    request_body='{"symbol": "ZVZZT"}',
    http_status=500,
    headers=(("content-type", "application/json"), ("Set-Cookie", "session=door")),
    body='{"error": {"code": "NO_ROUTE"}}',
    seconds_s=0.012,
)


def failing(body: str = "") -> Observation:
    """A round in which one order failed and health was silent."""
    exchange = EXCHANGE.model_copy(update={"body": body}) if body else EXCHANGE
    failed = order(AssetClass.EQUITY, OrderOutcome.ERROR).model_copy(update={"exchange": exchange})
    return observation(health=health(Fault.TIMED_OUT), orders=(failed, order(AssetClass.FX)))


def logs(sample: str = "ERROR router: no route") -> LogCheck:
    """One finding in one log."""
    finding = LogFinding(
        kind=LogKind.STACK_TRACE,
        severity=Severity.ERROR,
        template="no route",
        count=7,
        first_line=3,
        last_line=9,
        last_at=NOW + timedelta(seconds=1),
        sample=sample,
        is_new=True,
    )
    return LogCheck(scans=(LogScan(file="service.jsonl", findings=(finding,)),))


def story(seen: Observation, look: LogCheck) -> TriageStory:
    """What a run has seen."""
    found = evidence(seen)
    context = found.context.model_copy(update={"run_url": "http://ui/runs/1"})
    found = found.model_copy(update={"context": context})
    return TriageStory(evidence=found, diagnosis=Diagnosis(status=Status.CRITICAL), logs=look)


def text_of(files: tuple[Attachment, ...], name: str) -> str:
    """One file's text."""
    return next(file.text for file in files if file.name == name)


def test_a_page_brings_the_failing_request_with_its_answer_and_the_log_lines() -> None:
    """§4.2 names them: service logs, sample failing request/response."""
    files = evidence_files(failing(), logs())

    wire = text_of(files, EXCHANGE_FILE)
    assert "GET http://service/health" in wire
    assert "no answer: timed_out" in wire
    assert 'POST http://service/orders\n{"symbol": "ZVZZT"}\n\nHTTP 500 in 0.012 s' in wire
    assert '{"error": {"code": "NO_ROUTE"}}' in wire
    assert "service.jsonl:3-9" in text_of(files, LOG_FILE)
    assert "ERROR router: no route" in text_of(files, LOG_FILE)


def test_what_worked_is_in_no_file() -> None:
    """The person paged reads what failed."""
    assert evidence_files(observation(), LogCheck()) == ()


def test_a_header_that_opens_a_door_is_held_back() -> None:
    """Files of a thread are read by the whole channel."""
    wire = text_of(evidence_files(failing(), LogCheck()), EXCHANGE_FILE)

    assert "Set-Cookie: (held back)" in wire
    assert "session=door" not in wire


def test_a_file_stays_small_whatever_came_back() -> None:
    """Messages are parameters of a flow run, and Prefect's server takes half a megabyte."""
    files = evidence_files(failing("\U0001f4a5\x00" * 500_000), logs("\u0000é" * 100_000))

    assert all(len(file.text.encode()) <= FILE_LIMIT_BYTES for file in files)


def test_pages_to_tiers_bring_files_and_all_messages_their_run() -> None:
    """The desk needs the sentence and nothing else; a reminder repeats no files."""
    told = with_evidence(
        (message("opened"), message("again-1"), message("closed"), message("desk-fx", Audience.DESK)),
        story(failing(), logs()),
    )

    assert [len(one.files) for one in told] == [2, 0, 0, 0]
    assert {one.run_url for one in told} == {"http://ui/runs/1"}


def test_no_secret_of_the_settings_is_told() -> None:
    """An error text may have carried the token along."""
    service = ServiceSettings(control_token=SecretStr("control-secret"))
    settings = RunbookSettings.model_validate(
        {
            "services": {"order-service": service},
            "slack": {"token": "xoxb-bot-secret", "channel": "C012"},
            "fallback": {"tier_1": "mailto://u:mail-secret@h"},
        }
    )
    leaking = message(
        text="401 for control-secret",
        detail="xoxb-bot-secret",
        files=(Attachment(name="f", text="mailto://u:mail-secret@h"),),
    )

    told = redacted(leaking, secret_values(settings))

    assert (told.text, told.detail, told.files[0].text) == ("401 for [secret]", "[secret]", "[secret]")


def test_a_short_secret_tears_no_holes_into_words() -> None:
    """A control token `a` must not black out every a."""
    assert redacted(message(text="a trade"), ("a",)).text == "a trade"
