import pytest

from adserver.delivery.policies import Fetch, Policy

PAGE = "https://news.example/story"
SERVICE = "https://sponsors.example/slot.js"


def allows(text: str, fetch: Fetch = Fetch.SCRIPT, url: str = SERVICE, page: str = PAGE, **element: str) -> bool:
    return all(policy.allows(fetch, url, page, **element) for policy in Policy.parse_all(text))


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("", True),
        ("img-src 'none'", True),
        ("default-src 'none'", False),
        ("default-src 'self'", False),
        ("script-src *", True),
        ("script-src https:", True),
        ("script-src http:", True),
        ("script-src data:", False),
        ("script-src sponsors.example", True),
        ("script-src SPONSORS.example", True),
        ("SCRIPT-SRC https://sponsors.example", True),
        ("script-src http://sponsors.example", True),
        ("script-src https://sponsors.example:443", True),
        ("script-src https://sponsors.example:8443", False),
        ("script-src https://sponsors.example:*", True),
        ("script-src https://*.example", True),
        ("script-src https://*.sponsors.example", False),
        ("script-src https://sponsors.example/slot.js", True),
        ("script-src https://sponsors.example/other.js", False),
        ("script-src https://sponsors.example/", True),
        ("script-src https://sponsors.example/js/", False),
        ("script-src 'self' 'unsafe-inline'", False),
        ("default-src 'none'; script-src https://sponsors.example", True),
        ("script-src https://sponsors.example; script-src 'none'", True),
        ("script-src https://sponsors.example; script-src-elem 'none'", False),
        ("script-src https://sponsors.example, script-src 'self'", False),
        ("script-src 'strict-dynamic' https://sponsors.example", False),
        ("script-src 'nonce-abc'", False),
        ("script-src ][", False),
    ],
)
def test_a_script_is_let_through_as_browsers_do(text: str, allowed: bool) -> None:
    assert allows(text) is allowed


def test_a_script_may_be_named_by_its_nonce_or_its_hash() -> None:
    assert allows("script-src 'nonce-aBc' 'strict-dynamic'", nonce="aBc")
    assert not allows("script-src 'nonce-aBc'", nonce="abc")
    assert allows("script-src 'sha384-x'", integrity="sha384-x")
    assert not allows("script-src 'sha384-x'", integrity="sha384-x sha384-y")


def test_self_is_the_pages_own_origin() -> None:
    own = "https://news.example/sponsors/slot.js"
    assert allows("default-src 'self'", url=own)
    assert not allows("default-src 'self'", url="https://news.example:8443/slot.js")
    assert allows("default-src 'self'", url=own, page="http://news.example/")
    assert not allows("default-src 'self'", url="http://news.example/slot.js")


def test_each_kind_of_fetch_has_its_directives() -> None:
    for fetch in Fetch:
        assert not allows("default-src 'none'", fetch)
        assert allows(f"default-src 'none'; {fetch.directive} https://sponsors.example", fetch)
    assert allows("child-src https://sponsors.example; default-src 'none'", Fetch.FRAME)
    assert allows("script-src 'none'; style-src 'none'; img-src 'none'", Fetch.CONNECT)


def test_a_host_without_a_scheme_takes_the_pages() -> None:
    assert not allows("img-src sponsors.example", Fetch.IMAGE, "http://sponsors.example/x.gif")
    assert allows("img-src sponsors.example", Fetch.IMAGE, "http://sponsors.example/x.gif", "http://news.example/")
