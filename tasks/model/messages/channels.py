"""Where each audience is reached: Slack first, then the fallback URLs. Every address that opens a door is a secret."""

import re
from typing import Annotated

from pydantic import AfterValidator, AnyHttpUrl, BeforeValidator, Field, SecretStr, model_validator

from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.values import Value

_WEB = re.compile(r"\Ahttps?://[^\s/]+/\S+")
_APPRISE = re.compile(r"\A[A-Za-z][A-Za-z0-9+.-]*://\S+")


def _secret(pattern: str, expected: str) -> AfterValidator:
    def check(secret: SecretStr) -> SecretStr:
        if re.fullmatch(pattern, secret.get_secret_value()) is None:
            raise ValueError(f"{expected} is expected")
        return secret

    return AfterValidator(check)


def _as_list(value: object) -> object:
    return (value,) if isinstance(value, str) else value


BotToken = Annotated[SecretStr, _secret(r"xox[a-z]-\S+", "a bot token that begins with xoxb-")]
AppToken = Annotated[SecretStr, _secret(r"xapp-\S+", "an app-level token that begins with xapp-")]
WebhookUrl = Annotated[SecretStr, _secret(_WEB.pattern, "the https URL of an incoming webhook")]
AppriseUrl = Annotated[SecretStr, _secret(_APPRISE.pattern, "an Apprise URL such as mailto://… or pagerduty://…")]
AppriseUrls = Annotated[tuple[AppriseUrl, ...], BeforeValidator(_as_list)]
# A name would do for posting, but not for editing the head or for looking whether a message arrived.
ChannelId = Annotated[str, Field(pattern=r"^[CGD][A-Z0-9]{2,20}$")]
UserGroupId = Annotated[str, Field(pattern=r"^S[A-Z0-9]{2,20}$")]


class SlackAudience(Value):
    """Where one audience reads, if not where all do, and the user group that is called."""

    channel: ChannelId | None = None
    user_group: UserGroupId | None = None
    webhook_url: WebhookUrl | None = None


class SlackSettings(Value):
    """Slack: a bot token with a channel, or incoming webhooks; an app token adds the buttons."""

    token: BotToken | None = None
    app_token: AppToken | None = None
    base_url: AnyHttpUrl = AnyHttpUrl("https://slack.com/api/")
    channel: ChannelId | None = None
    webhook_url: WebhookUrl | None = None
    timeout_s: float = Field(default=3.0, gt=0, le=10)
    desk: SlackAudience = SlackAudience()
    tier_1: SlackAudience = SlackAudience()
    tier_2: SlackAudience = SlackAudience()
    tier_3: SlackAudience = SlackAudience()

    def of(self, audience: Audience) -> SlackAudience:
        """Give what is set for one audience, filled up with what is set for all."""
        own = getattr(self, audience.value)
        assert isinstance(own, SlackAudience)  # noqa: S101
        filled = {"channel": own.channel or self.channel, "webhook_url": own.webhook_url or self.webhook_url}
        return own.model_copy(update=filled)

    @model_validator(mode="after")
    def _whole(self) -> "SlackSettings":
        channels = [self.of(audience).channel for audience in Audience]
        if self.token and not any(channels):
            raise ValueError("a channel is expected beside the token, for all or for each audience")
        if any(channels) and not self.token:
            raise ValueError("a token is expected beside the channel; a webhook needs neither")
        if self.app_token and not self.token:
            raise ValueError("a token is expected beside the app_token")
        return self


class FallbackSettings(Value):
    """Apprise URLs for each audience, tried in their order where Slack is not set or does not take a message."""

    desk: AppriseUrls = ()
    tier_1: AppriseUrls = ()
    tier_2: AppriseUrls = ()
    tier_3: AppriseUrls = ()

    def of(self, audience: Audience) -> tuple[SecretStr, ...]:
        urls: tuple[SecretStr, ...] = getattr(self, audience.value)
        return urls
