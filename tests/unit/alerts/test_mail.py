"""Mail about alerts against a real server: what it says, and one that refuses, hangs, goes, and comes back."""

import ssl
import threading
import time
from pathlib import Path

import pytest
from alert_scenes import make_alert, make_notices
from certificates import make_contexts
from hypothesis import given
from hypothesis import strategies as st
from mail_server import PASSWORD, USER, running_mail_server

from adserver.alerts.mail import Mail
from adserver.alerts.mail_words import compose, subject
from adserver.alerts.notice import Happening, Notice, make_notice, make_test_notice
from adserver.alerts.smtp_address import Encryption, SmtpAddress
from adserver.alerts.way import Delivery

FROM, TO = "ads@news.example", ("sales@news.example", "ops@news.example")
AFTERNOON = 1_795_532_400.0
LINK = "https://ads.example/console/alerts"


def plain(port: int, seconds: float = 5.0) -> Mail:
    return Mail(SmtpAddress(Encryption.NONE, "127.0.0.1", port), FROM, TO, LINK, seconds)


def is_sent(delivery: Delivery) -> bool:
    [outcome] = set(delivery.outcomes.values())
    return outcome is True


class TestWords:
    def test_a_mail_of_one_alert_has_its_title_and_what_to_do(self) -> None:
        with running_mail_server() as server:
            assert is_sent(plain(server.port).send(make_notices("behind_plan:minnesota", at=AFTERNOON), AFTERNOON))
        [mail], [envelope] = server.mails, server.envelopes
        assert (envelope.mail_from, tuple(envelope.rcpt_tos)) == (FROM, TO)
        assert mail["From"] == "Ad server <ads@news.example>"
        assert mail["To"] == "sales@news.example, ops@news.example"
        assert mail["Subject"] == ("[adserver] warning: QWIKET fantasy season: flight minnesota is 23 % behind plan")
        assert mail["Date"] == "Tue, 24 Nov 2026 15:00:00 +0000"
        assert mail["Auto-Submitted"] == "auto-generated"
        assert mail.get_content_type() == "text/plain"
        assert mail.get_content().replace("\r\n", "\n") == (
            "warning: QWIKET fantasy season: flight minnesota is 23 % behind plan\n"
            "By now 1,000 of its 5,000 impressions are due; 770 are delivered, 230 too\n"
            "few.\n"
            "What to do: See who wins in its place with `adserver explain`.\n"
            "\n"
            "All alerts: https://ads.example/console/alerts\n"
        )

    def test_a_mail_of_several_counts_them_and_one_that_is_over_says_since_when(self) -> None:
        alert = make_alert("gaps", title="Events are missing", since=AFTERNOON - 3600)
        over = make_notice(Happening.ENDED, alert, AFTERNOON)
        notices = (over, *make_notices("behind_plan:minnesota", at=AFTERNOON))
        assert subject(notices) == "[adserver] 2 alerts: over: Events are missing; and 1 more"
        text = compose(FROM, TO, notices, None, AFTERNOON).get_content()
        assert "It began on 2026-11-24T14:00:00Z and ended by 2026-11-24T15:00:00Z." in text
        assert text.count("What to do:") == 1
        assert "All alerts" not in text

    def test_a_test_says_that_it_is_one(self) -> None:
        assert subject((make_test_notice(AFTERNOON),)) == "[adserver] This is a test"

    @given(st.text(max_size=300), st.text(max_size=300))
    def test_no_name_of_a_campaign_can_add_a_header(self, title: str, text: str) -> None:
        notice = Notice("a" * 32, Happening.BEGAN, AFTERNOON, make_alert(title=title, text=text, since=AFTERNOON))
        mail = compose(FROM, TO, (notice,), LINK, AFTERNOON)
        head, _, _ = mail.as_bytes().partition(b"\r\n\r\n")
        names = [line.partition(b":")[0] for line in head.split(b"\r\n") if not line.startswith((b" ", b"\t"))]
        assert names == [
            b"From", b"To", b"Subject", b"Date", b"Message-ID", b"Auto-Submitted", b"Content-Type",
            b"Content-Transfer-Encoding", b"MIME-Version",
        ]  # fmt: skip
        assert b"\n" not in head.replace(b"\r\n", b"")
        assert len(str(mail["Subject"])) <= 120

    def test_line_ends_in_a_title_are_blanks(self) -> None:
        [notice] = make_notices("gaps")
        hostile = make_alert(title="Season\r\nBcc: all@evil.example\r\n\r\nClick here\x00\u2028\u202e")
        assert subject((Notice(notice.id, notice.event, 1.0, hostile),)) == (
            "[adserver] warning: Season Bcc: all@evil.example Click here"
        )

    def test_letters_of_any_script_arrive(self) -> None:
        [notice] = make_notices("gaps")
        with running_mail_server() as server:
            titled = Notice(notice.id, notice.event, 1.0, make_alert(title="Zimní kampaň ☃", text="1 000 → 770"))
            assert is_sent(plain(server.port).send((titled,), AFTERNOON))
        assert server.mails[0]["Subject"] == "[adserver] warning: Zimní kampaň ☃"
        assert "1 000 → 770" in server.mails[0].get_content()


class TestServer:
    def test_one_that_refuses_a_mail_is_a_failure_that_is_told(self) -> None:
        with running_mail_server() as server:
            server.answer = "554 looks like spam to user desk"
            delivery = plain(server.port).send(make_notices("gaps"), AFTERNOON)
        assert not is_sent(delivery)
        assert delivery.fault == "the mail server refused the mail (554)"

    def test_one_of_two_recipients_is_enough_and_the_other_is_told(self) -> None:
        with running_mail_server() as server:
            server.refuses = {TO[0]}
            delivery = plain(server.port).send(make_notices("gaps"), AFTERNOON)
            assert (is_sent(delivery), delivery.fault) == (True, "the server refused 1 of 2 recipients")
            server.refuses = set(TO)
            delivery = plain(server.port).send(make_notices("gaps"), AFTERNOON)
            assert (is_sent(delivery), delivery.fault) == (False, "the mail server refused all recipients")
        assert [envelope.rcpt_tos for envelope in server.envelopes] == [[TO[1]]]

    def test_one_that_hangs_is_waited_for_only_so_long(self) -> None:
        with running_mail_server() as server:
            server.delay = threading.Event()
            began = time.monotonic()
            delivery = plain(server.port, 0.3).send(make_notices("gaps"), AFTERNOON)
            assert time.monotonic() - began < 5
        assert not is_sent(delivery)
        assert "did not answer in time" in delivery.fault

    def test_one_that_was_away_gets_it_when_it_is_back(self) -> None:
        with running_mail_server() as server:
            port = server.port
        notices = make_notices("gaps", "drops")
        delivery = plain(port).send(notices, AFTERNOON)
        assert not is_sent(delivery)
        assert delivery.fault == "the mail server cannot be reached: Connection refused"
        with running_mail_server(port) as server:
            assert is_sent(plain(port).send(notices, AFTERNOON))
        assert len(server.mails) == 1

    def test_a_password_is_shown_over_starttls_to_a_server_that_is_believed(self, tmp_path: Path) -> None:
        theirs, ours = make_contexts(tmp_path)
        with running_mail_server(starttls=theirs, asks_password=True) as server:
            assert is_sent(secured(Encryption.STARTTLS, server.port, ours).send(make_notices("gaps"), AFTERNOON))
            assert server.logins == [True]
            wrong = secured(Encryption.STARTTLS, server.port, ours, "wrong").send(make_notices("gaps"), AFTERNOON)
            assert wrong.fault == "the mail server refused user and password"
            stranger = secured(Encryption.STARTTLS, server.port, None).send(make_notices("gaps"), AFTERNOON)
            assert stranger.fault == "the mail server's certificate is not believed"
            assert server.logins == [True, False, False], (
                "a stranger is shown no password, and one that is, by two ways"
            )

    def test_over_tls_too(self, tmp_path: Path) -> None:
        theirs, ours = make_contexts(tmp_path)
        with running_mail_server(tls=theirs) as server:
            way = Mail(SmtpAddress(Encryption.TLS, "127.0.0.1", server.port), FROM, TO, None, 5.0, ours)
            assert is_sent(way.send(make_notices("gaps"), AFTERNOON))
        assert len(server.mails) == 1

    def test_one_that_cannot_encrypt_gets_neither_password_nor_mail(self) -> None:
        with running_mail_server() as server:
            delivery = secured(Encryption.STARTTLS, server.port, None).send(make_notices("gaps"), AFTERNOON)
        assert "does not offer" in delivery.fault
        assert (server.mails, server.logins) == ([], [])


def secured(encryption: Encryption, port: int, context: ssl.SSLContext | None, password: str = PASSWORD) -> Mail:
    return Mail(SmtpAddress(encryption, "127.0.0.1", port, USER, password), FROM, TO, None, 5.0, context)


@pytest.mark.parametrize("word", [PASSWORD, "desk", "127.0.0.1"])
def test_no_fault_tells_where_or_who(word: str) -> None:
    delivery = Mail(SmtpAddress(Encryption.NONE, "127.0.0.1", 1, USER, PASSWORD), FROM, TO, None).send(
        make_notices("gaps"), AFTERNOON
    )
    assert delivery.fault
    assert word not in delivery.fault
