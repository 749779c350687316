"""Settings: what each takes, and that a wrong one is refused by name."""

import base64
import re
from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from adserver.config import SETTINGS, Settings
from adserver.config_values import LogFormat
from adserver.domain.errors import SettingRefused

KEY = "ab" * 32


def settings(**values: str) -> Settings:
    return Settings.from_environ({f"ADSERVER_{name.upper()}": value for name, value in values.items()})


def test_an_empty_environment_gives_the_documented_defaults() -> None:
    assert settings() == Settings(
        redis_url=None, data_dir=Path(".adserver"), campaigns_dir=Path("campaigns"), workers=2, demo=False
    )


def test_an_empty_value_counts_as_unset() -> None:
    assert Settings.from_environ({setting.name: "  " for setting in SETTINGS}) == Settings()


def test_every_setting_is_read() -> None:
    got = settings(
        redis_url="unix:///run/redis.sock",
        data_dir="/var/lib/adserver",
        campaigns_dir="/etc/campaigns",
        public_url="HTTPS://Ads.Example:443/sponsor/",
        allowed_hosts="Ads.example, 10.0.0.7,[::0:1],",
        home_url="https://paper.example",
        secret_keys=f"{KEY},{'cd' * 16}",
        admin_token="adsv_0123456789abcdef",
        trusted_proxies="10.0.0.0/8, 192.0.2.1",
        workers="4",
        log_format="json",
        demo="yes",
    )
    assert got == Settings(
        redis_url="unix:///run/redis.sock",
        data_dir=Path("/var/lib/adserver"),
        campaigns_dir=Path("/etc/campaigns"),
        public_url="https://ads.example/sponsor",
        allowed_hosts=frozenset({"ads.example", "10.0.0.7", "[::1]"}),
        home_url="https://paper.example/",
        secret_keys=(bytes.fromhex(KEY), b"\xcd" * 16),
        admin_token="adsv_0123456789abcdef",
        trusted_proxies=(ip_network("10.0.0.0/8"), ip_network("192.0.2.1/32")),
        workers=4,
        log_format=LogFormat.JSON,
        demo=True,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("redis_url", "http://localhost"),
        ("redis_url", "localhost:6379"),
        ("redis_url", "redis://"),
        ("redis_url", "redis://localhost:0"),
        ("redis_url", "redis://localhost:99999"),
        ("redis_url", "redis://localhost/first"),
        ("redis_url", "unix://relative/path"),
        ("redis_url", "redis+cluster://"),
        ("redis_url", "redis+cluster://a:7000,"),
        ("redis_url", "redis+cluster://a:7000,b:0"),
        ("redis_url", "redis+cluster://a:7000,b:70000"),
        ("redis_url", "redis+cluster://a:7000/1"),
        ("redis_url", "redis+cluster://a:7000?ssl_ca_certs=/ca.pem"),
        ("redis_url", "redis+cluster://a:7000, b:7000"),
        ("redis_url", "rediss+cluster://a:7000?ssl_cert_reqs=none"),
        ("redis_url", "rediss+cluster://a:7000?ssl_ca_certs="),
        ("redis_url", "redis+cluster://u:a#b@a:7000"),
        ("redis_url", "redis+sentinel://a:26379"),
        ("redis_url", "redis+sentinel://a:26379/"),
        ("redis_url", "redis+sentinel://a:26379/main/first"),
        ("redis_url", "redis+sentinel://a:26379/main?db=1"),
        ("redis_url", "redis+sentinels://a:26379/main"),
        ("public_url", "ads.example"),
        ("public_url", "https:ads.example"),
        ("public_url", "https://ads.example/?a=1"),
        ("public_url", "https://ads.example/#top"),
        ("public_url", "https://user:word@ads.example/"),
        ("public_url", "https://ads.example\\path"),
        ("public_url", "https://[::1"),
        ("public_url", "ftp://ads.example/"),
        ("home_url", "javascript:alert(1)"),
        ("home_url", "/relative"),
        ("allowed_hosts", "ads.example:8080"),
        ("allowed_hosts", "*"),
        ("allowed_hosts", "https://ads.example"),
        ("allowed_hosts", "[::zz]"),
        ("secret_keys", "short"),
        ("secret_keys", "ab" * 15),
        ("secret_keys", "ab" * 65),
        ("secret_keys", "a" * 63),
        ("secret_keys", "x" * 21),
        ("secret_keys", "x" * 25),
        ("secret_keys", "not/base64url+at all"),
        ("secret_keys", f"{KEY},{KEY}"),
        ("admin_token", "short"),
        ("admin_token", "has a blank in its middle"),
        ("trusted_proxies", "10.0.0.1/8"),
        ("trusted_proxies", "proxy.example"),
        ("spool_retention_hours", "0"),
        ("spool_retention_hours", "138"),
        ("archive_days", "-1"),
        ("archive_days", "36501"),
        ("workers", "0"),
        ("workers", "65"),
        ("workers", "-1"),
        ("workers", "two"),
        ("workers", "1.5"),
        ("workers", "\u0662"),
        ("log_format", "xml"),
        ("demo", "maybe"),
        ("data_dir", "a\0b"),
        ("geoip_db", "a\0b"),
        ("rate_events", "-1"),
        ("rate_events", "1000001"),
        ("rate_events", "many"),
    ],
)
def test_a_wrong_value_is_refused_with_the_settings_name_and_what_it_takes(name: str, value: str) -> None:
    with pytest.raises(SettingRefused) as refused:
        settings(**{name: value})
    assert refused.value.name == f"ADSERVER_{name.upper()}"
    assert str(refused.value).startswith(f"ADSERVER_{name.upper()}: ")
    assert "; it takes " in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "redis://redis.example:6379/0",
        "rediss://:word@10.0.0.9",
        "redis://[2001:db8::1]:6379",
        "redis+cluster://127.0.0.1:7000,10.0.0.9:7000",
        "redis+sentinel://10.0.0.9/main",
    ],
)
def test_a_redis_on_another_host_needs_secret_keys(url: str) -> None:
    with pytest.raises(SettingRefused) as refused:
        settings(redis_url=url)
    assert refused.value.name == "ADSERVER_SECRET_KEYS"
    assert settings(redis_url=url, secret_keys=KEY).redis_url == url


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost:6379",
        "redis://127.0.0.9/1",
        "redis://[::1]:1",
        "unix:///r.sock",
        "redis+cluster://localhost:7000,[::1]:7001",
        "redis+sentinel://127.0.0.1:26379,127.0.0.1:26380/main",
    ],
)
def test_a_redis_on_this_host_does_not(url: str) -> None:
    assert settings(redis_url=url).secret_keys == ()


@given(st.binary(min_size=16, max_size=64), st.booleans())
def test_a_key_is_read_from_padded_or_bare_base64url_and_from_hex(key: bytes, padded: bool) -> None:
    text = base64.urlsafe_b64encode(key).decode()
    assume(not re.fullmatch(r"[0-9a-fA-F]+=*", text))  # hex digits only: that is hex
    assert settings(secret_keys=key.hex()).secret_keys == (key,)
    assert settings(secret_keys=text if padded else text.rstrip("=")).secret_keys == (key,)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("secret_keys", "hunter2-hunter2"),
        ("admin_token", "hunter2 hunter2"),
        ("redis_url", "redis://user:hunter2@host:port"),
        ("redis_url", "redis://:hunter2/@host:1"),
        ("redis_url", "redis://:hunter2@[host:1"),
        ("redis_url", "redis+cluster://u:hunter2@a:7000,b:x"),
        ("redis_url", "redis+sentinel://:hunter2@a:1/main?sentinel_password=hunter2&db=1"),
        ("redis_url", "redis+sentinel://:hunter2/x@a:1/main"),
    ],
)
def test_a_refusal_does_not_repeat_a_secret(name: str, value: str) -> None:
    with pytest.raises(SettingRefused) as refused:
        settings(**{name: value})
    assert "hunter2" not in str(refused.value)
    assert "hunter2" not in str(refused.value.__cause__)


def test_the_repr_of_settings_shows_no_secret() -> None:
    shown = repr(settings(redis_url="redis://:hunter2@localhost", secret_keys=KEY, admin_token="hunter2hunter2hunter2"))
    assert "hunter2" not in shown
    assert "\\xab" not in shown
    assert "hunter2" not in repr(settings(redis_url="redis+cluster://:hunter2@localhost").redis_address)


def test_each_setting_is_described_for_the_docs() -> None:
    assert len({setting.name for setting in SETTINGS}) == len(SETTINGS)
    for setting in SETTINGS:
        assert setting.name.startswith("ADSERVER_")
        assert all((setting.shown_default, setting.unit, setting.takes, setting.meaning))
