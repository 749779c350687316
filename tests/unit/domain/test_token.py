import pytest
from hypothesis import given
from hypothesis import strategies as st

from adserver.domain.ids import IdHash, Kind, id_hash
from adserver.domain.token import Token, TokenCodec, TokenInvalid
from adserver.domain.variants import Variant

KEY = bytes(range(32))
OTHER_KEY = bytes(range(100, 132))


def hash_of(kind: Kind) -> st.SearchStrategy[IdHash]:
    return st.binary(min_size=kind.size_bytes, max_size=kind.size_bytes).map(IdHash)


tokens = st.builds(
    Token,
    issuer=st.binary(min_size=6, max_size=6),
    shard=st.integers(0, 255),
    sequence=st.integers(0, 2**32 - 1),
    issued_second=st.integers(0, 2**32 - 1),
    flight=hash_of(Kind.FLIGHT),
    creative=hash_of(Kind.CREATIVE),
    slot=hash_of(Kind.SLOT),
    place=hash_of(Kind.PLACE),
    topic=hash_of(Kind.TOPIC),
    variant=st.sampled_from(Variant),
)


def example() -> Token:
    return Token(
        issuer=b"\x01\x02\x03\x04\x05\x06",
        shard=3,
        sequence=4_000_000_000,
        issued_second=1_795_500_000,
        flight=id_hash(Kind.FLIGHT, "minnesota"),
        creative=id_hash(Kind.CREATIVE, "elevate"),
        slot=id_hash(Kind.SLOT, "masthead"),
        place=id_hash(Kind.PLACE, "us-mn-remer"),
        topic=id_hash(Kind.TOPIC, "sports"),
        variant=Variant.LONG,
    )


@given(tokens)
def test_what_was_encoded_is_decoded(token: Token) -> None:
    codec = TokenCodec((KEY,))
    text = codec.encode(token)

    assert codec.decode(text) == token
    assert len(text) == 74


def test_version_1_is_written_the_same_for_ever() -> None:
    assert TokenCodec((KEY,)).encode(example()) == (
        "EgECAwQFBgPuaygAawUn4O9Mndu7kqyg9rx1VeT5isUm2YNa1-5xdifQA6NBD05i5w5-meXI9g"
    )


def test_a_token_of_an_older_live_key_is_read_and_new_ones_are_of_the_newest() -> None:
    old, rotated = TokenCodec((KEY,)), TokenCodec((OTHER_KEY, KEY))

    assert rotated.decode(old.encode(example())) == example()
    with pytest.raises(TokenInvalid):
        old.decode(rotated.encode(example()))


@pytest.mark.parametrize("position", range(74))
def test_a_token_with_any_character_changed_is_invalid(position: int) -> None:
    codec = TokenCodec((KEY,))
    text = codec.encode(example())
    for other in "AZaz09-_":
        if other != text[position]:
            with pytest.raises(TokenInvalid):
                codec.decode(text[:position] + other + text[position + 1 :])


@pytest.mark.parametrize("text", ["", "x", "A" * 73, "A" * 74, "A" * 75, "A" * 96, "é" * 74, "=" * 74, "A" * 73 + "\n"])
def test_what_is_no_token_is_invalid(text: str) -> None:
    with pytest.raises(TokenInvalid):
        TokenCodec((KEY,)).decode(text)


@pytest.mark.parametrize("keys", [(), (b"short",), (bytes(65),)])
def test_keys_of_no_or_a_wrong_size_are_refused(keys: tuple[bytes, ...]) -> None:
    with pytest.raises(ValueError, match="16 to 64 bytes"):
        TokenCodec(keys)


def test_two_live_keys_that_share_their_short_id_are_both_read() -> None:
    def key(number: int) -> bytes:
        return number.to_bytes(2, "big") * 8

    head = {number: TokenCodec((key(number),)).encode(example())[0] for number in range(64)}
    one, other = next((a, b) for a in head for b in head if a < b and head[a] == head[b])
    both = TokenCodec((key(one), key(other)))

    assert both.decode(TokenCodec((key(one),)).encode(example())) == example()
    assert both.decode(TokenCodec((key(other),)).encode(example())) == example()


def test_only_one_text_is_a_token() -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    codec = TokenCodec((KEY,))
    text = codec.encode(example())
    last = alphabet.index(text[-1])
    same_bytes = [text[:-1] + alphabet[last ^ bits] for bits in range(1, 16)]

    for spelling in same_bytes:
        with pytest.raises(TokenInvalid):
            codec.decode(spelling)
