"""Addresses of mail servers and of mail: what is taken, what is refused, and that no password is told."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adserver.alerts.smtp_address import (
    Encryption,
    SmtpAddress,
    parse_mailbox,
    parse_mailboxes,
    parse_smtp_address,
)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("smtp://mail.example", SmtpAddress(Encryption.NONE, "mail.example", 25)),
        ("smtps://mail.example/", SmtpAddress(Encryption.TLS, "mail.example", 465)),
        (
            "smtp+starttls://desk:p%40ss%3Aword@mail.example",
            SmtpAddress(Encryption.STARTTLS, "mail.example", 587, "desk", "p@ss:word"),
        ),
        (
            "smtps://desk%40news.example:x@[::1]:4650",
            SmtpAddress(Encryption.TLS, "::1", 4650, "desk@news.example", "x"),
        ),
        ("smtp://desk:x@localhost:2525", SmtpAddress(Encryption.NONE, "localhost", 2525, "desk", "x")),
        ("smtp://desk:x@127.0.0.9", SmtpAddress(Encryption.NONE, "127.0.0.9", 25, "desk", "x")),
    ],
)
def test_an_address_is_read(text: str, address: SmtpAddress) -> None:
    assert parse_smtp_address(text) == address
    assert "p@ss" not in repr(address)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mail.example", "not the address"),
        ("http://mail.example", "not the address"),
        ("starttls://mail.example", "not the address"),
        ("smtp://mail.example:port", "not the address"),
        ("smtp://mail.example:70000", "not the address"),
        ("smtp://mail.example:0", "no port 0"),
        ("smtps://", "no host"),
        ("smtps://mail.example/inbox", "more than a host"),
        ("smtps://mail.example?x=secret-word", "more than a host"),
        ("smtps://desk@mail.example", "without a password"),
        ("smtps://:secret-word@mail.example", "without a user"),
        ("smtp://desk:secret-word@mail.example", "unencrypted"),
        ("smtps://desk:secret%0d%0a-word@mail.example", "control characters"),
        ("smtps://desk:secret word@mail.example", "%-escape"),
        ("smtps://desk:secret-wörd@mail.example", "%-escape"),
    ],
)
def test_what_is_none_is_refused_and_no_password_told(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as refused:
        parse_smtp_address(text)
    assert "secret" not in str(refused.value)


@given(st.text())
def test_any_other_text_is_refused_and_nothing_else_is_raised(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert parse_smtp_address(text).host


@pytest.mark.parametrize(
    "text",
    ["", "ads", "ads@", "@news.example", "Ads <ads@news.example>", "ads@news.example\nBcc: x@y.example",
     "ads@news..example", "ads@news.example,", "ads @news.example", "ädsé@news.example"],
)  # fmt: skip
def test_what_is_no_mailbox_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no mail address"):
        parse_mailbox(text)


def test_recipients_are_read_and_bounded() -> None:
    assert parse_mailboxes("a@x.example, b@y.example,") == ("a@x.example", "b@y.example")
    assert len(parse_mailboxes(",".join(f"a{number}@x.example" for number in range(20)))) == 20
    for text in (",", ",".join(f"a{number}@x.example" for number in range(21))):
        with pytest.raises(ValueError, match="no address, or too many"):
            parse_mailboxes(text)
