"""Settings of alerts: a wrong one, and one that another needs, is refused by name; no secret is told."""

import pytest

from adserver.alerts.smtp_address import Encryption, SmtpAddress
from adserver.config import Settings
from adserver.config_alerts import AlertWays
from adserver.domain.errors import SettingRefused

SECRET = "hook-secret-0123456789"
HOOK = {"alert_webhook": "https://hooks.example/T1?x=1", "alert_webhook_secret": SECRET}
MAIL = {
    "smtp_url": "smtp+starttls://desk:pass-word@mail.example",
    "alert_mail_from": "ads@news.example",
    "alert_mail_to": "sales@news.example, ops@news.example",
}


def ways(values: dict[str, str]) -> AlertWays:
    return Settings.from_environ({f"ADSERVER_{name.upper()}": value for name, value in values.items()}).alerts


def test_every_setting_is_read_and_no_secret_shown() -> None:
    got = ways({**HOOK, **MAIL})
    assert got == AlertWays(
        "https://hooks.example/T1?x=1",
        SECRET,
        SmtpAddress(Encryption.STARTTLS, "mail.example", 587, "desk", "pass-word"),
        "ads@news.example",
        ("sales@news.example", "ops@news.example"),
    )
    assert [word for word in (SECRET, "pass-word", "T1") if word in repr(got)] == []
    assert ways({}) == AlertWays()


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:9000/hook", "http://localhost/", "http://[::1]:9/x", "HTTPS://A.example"]
)
def test_a_webhook_is_encrypted_or_on_this_machine(address: str) -> None:
    assert ways({**HOOK, "alert_webhook": address}).webhook == address.lower() + ("/" if "A." in address else "")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("alert_webhook", "http://hooks.example/"),
        ("alert_webhook", "http://127.0.0.1.evil.example/"),
        ("alert_webhook", "ftp://127.0.0.1/"),
        ("alert_webhook", "https://user:secret-word@hooks.example/"),
        ("alert_webhook", "https://hooks.example/#part"),
        ("alert_webhook", "hooks.example"),
        ("alert_webhook_secret", "secret-word"),
        ("alert_webhook_secret", "secret-word with blanks in it"),
        ("smtp_url", "mail.example:25"),
        ("smtp_url", "smtp://desk:secret-word@mail.example"),
        ("alert_mail_from", "Ads <ads@news.example>"),
        ("alert_mail_to", "sales"),
        ("alert_mail_to", "sales@news.example\nBcc: x@y.example"),
    ],
)
def test_a_wrong_value_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(SettingRefused) as refused:
        ways({**HOOK, **MAIL, name: value})
    assert refused.value.name == f"ADSERVER_{name.upper()}"
    assert "it takes" in str(refused.value)
    assert "secret-word" not in str(refused.value)


@pytest.mark.parametrize(
    ("missing", "refused_name"),
    [
        ("alert_webhook_secret", "ADSERVER_ALERT_WEBHOOK_SECRET"),
        ("alert_webhook", "ADSERVER_ALERT_WEBHOOK_SECRET"),
        ("smtp_url", "ADSERVER_ALERT_MAIL_FROM"),
        ("alert_mail_from", "ADSERVER_ALERT_MAIL_FROM"),
        ("alert_mail_to", "ADSERVER_ALERT_MAIL_TO"),
    ],
)
def test_half_a_way_is_refused_rather_than_silent(missing: str, refused_name: str) -> None:
    with pytest.raises(SettingRefused) as refused:
        ways({name: value for name, value in {**HOOK, **MAIL}.items() if name != missing})
    assert refused.value.name == refused_name
