"""Signed requests: what is covered, what is refused, and the vector of the profile."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.errors import BadSignature
from sync.keys.signatures import (
    CLOCK_SKEW_S,
    ENROLMENT_KEY_ID,
    KeyPair,
    RequestParts,
    claimed_signer,
    content_digest,
    key_id,
    sign,
    verify,
)

NOW = 1_760_000_000
KEY = KeyPair(bytes(range(32)))
REQUEST = RequestParts("POST", "/sync/v1/push", "", b'{"batch":1}')
KEY_ID = key_id(community="c1", installation="0192a1b2-0000-7000-8000-000000000001")


def signed(request: RequestParts = REQUEST, created: int = NOW) -> dict[str, str]:
    headers = sign(request, key=KEY, key_id=KEY_ID, created=created)
    return {name.lower(): value for name, value in headers.items()}


def refusal(headers: dict[str, str], request: RequestParts = REQUEST, key: bytes = KEY.public) -> BadSignature:
    with pytest.raises(BadSignature) as caught:
        verify(request, headers=headers, public_key=key, now=NOW)
    return caught.value


def test_a_signed_request_names_its_installation() -> None:
    signer = verify(REQUEST, headers=signed(), public_key=KEY.public, now=NOW)
    assert signer.key_id == KEY_ID
    assert (signer.community, signer.installation) == ("c1", "0192a1b2-0000-7000-8000-000000000001")
    assert signer.created == NOW
    assert claimed_signer(signed()) == signer


def test_the_headers_are_those_of_the_standards() -> None:
    headers = sign(REQUEST, key=KEY, key_id="c1/i1", created=NOW)
    assert headers["Content-Digest"] == "sha-256=:MG2RM9e8DvwqVZfhEGkF0t17hsK/HamqJlPbuQ3Hfiw=:"
    assert headers["Signature-Input"] == (
        'qm=("@method" "@path" "@query" "content-digest");created=1760000000;keyid="c1/i1";alg="ed25519"'
    )
    base = (
        '"@method": POST\n"@path": /sync/v1/push\n"@query": ?\n'
        f'"content-digest": {headers["Content-Digest"]}\n'
        '"@signature-params": ("@method" "@path" "@query" "content-digest");created=1760000000;'
        'keyid="c1/i1";alg="ed25519"'
    )
    assert headers["Signature"] == f"qm=:{base64.b64encode(KEY.sign(base.encode())).decode()}:"


@pytest.mark.parametrize(
    "altered",
    [
        RequestParts("PUT", "/sync/v1/push", "", REQUEST.body),
        RequestParts("POST", "/sync/v1/pull", "", REQUEST.body),
        RequestParts("POST", "/sync/v1/push", "dry=1", REQUEST.body),
    ],
)
def test_a_changed_request_is_refused(altered: RequestParts) -> None:
    assert refusal(signed(), altered).code == "bad_signature"


def test_a_changed_body_is_told_apart_from_a_wrong_key() -> None:
    altered = RequestParts("POST", "/sync/v1/push", "", b'{"batch":2}')
    assert refusal(signed(), altered).code == "digest_mismatch"
    forged = signed() | {"content-digest": content_digest(altered.body)}
    assert refusal(forged, altered).code == "bad_signature"
    without = signed()
    del without["content-digest"]
    assert refusal(without).code == "digest_mismatch"


def test_another_key_or_no_key_is_refused() -> None:
    assert refusal(signed(), key=KeyPair.generate().public).code == "bad_signature"
    assert refusal(signed(), key=b"short").code == "bad_signature"


def test_another_name_or_time_is_refused() -> None:
    covered = signed()["signature-input"]
    for changed in (covered.replace("c1/", "c2/"), covered.replace(str(NOW), str(NOW + 1))):
        assert refusal(signed() | {"signature-input": changed}).code == "bad_signature"


@pytest.mark.parametrize("off", [-CLOCK_SKEW_S, 0, CLOCK_SKEW_S])
def test_ten_minutes_are_allowed(off: int) -> None:
    assert verify(REQUEST, headers=signed(created=NOW + off), public_key=KEY.public, now=NOW).created == NOW + off


@pytest.mark.parametrize("off", [-CLOCK_SKEW_S - 1, CLOCK_SKEW_S + 1])
def test_a_wrong_clock_is_told_the_time(off: int) -> None:
    error = refusal(signed(created=NOW + off))
    assert (error.code, error.params) == ("clock_skew", {"now": NOW})


def test_a_wrong_clock_with_a_wrong_key_is_a_wrong_key() -> None:
    assert refusal(signed(created=0), key=KeyPair.generate().public).code == "bad_signature"


@pytest.mark.parametrize("missing", ["signature", "signature-input"])
def test_an_unsigned_request_is_refused(missing: str) -> None:
    headers = signed()
    del headers[missing]
    assert refusal(headers).code == "signature_missing"


@pytest.mark.parametrize(
    "change",
    [
        {"signature": "qm=:****:"},
        {"signature": "qm=:AAAAA:"},
        {"signature": "other=:AAAA:"},
        {"signature": "qm=:AAAA:\n"},
        {"signature-input": ""},
        {"signature-input": 'qm=("@method");created=1760000000;keyid="c1/i1";alg="ed25519"'},
        {
            "signature-input": 'qm=("@method" "@path" "@query" "content-digest");'
            'created=1760000000;keyid="c1";alg="ed25519"'
        },
        {
            "signature-input": 'qm=("@method" "@path" "@query" "content-digest");'
            'created=1760000000;keyid="c1/i1";alg="hmac-sha256"'
        },
    ],
)
def test_another_profile_is_malformed(change: dict[str, str]) -> None:
    assert refusal(signed() | change).code == "signature_malformed"


def test_a_key_id_has_two_parts() -> None:
    with pytest.raises(ValueError, match="community/installation"):
        sign(REQUEST, key=KEY, key_id='c1"/i', created=NOW)
    assert sign(REQUEST, key=KEY, key_id=ENROLMENT_KEY_ID, created=NOW)


def test_an_empty_path_is_the_root() -> None:
    assert verify(RequestParts("GET", ""), headers=signed(RequestParts("get", "/")), public_key=KEY.public, now=NOW)


def test_keys_differ_and_come_back_from_their_bytes() -> None:
    made = KeyPair.generate()
    assert made != KeyPair.generate()
    assert (len(made.private), len(made.public)) == (32, 32)
    assert KeyPair(made.private).public == made.public
    assert repr(made) == "KeyPair()"


@given(st.sampled_from(["GET", "POST"]), st.text("abc/%20", min_size=1), st.text("a=&1%"), st.binary(max_size=64))
def test_any_request_comes_back(method: str, path: str, query: str, body: bytes) -> None:
    request = RequestParts(method, path, query, body)
    assert verify(request, headers=signed(request), public_key=KEY.public, now=NOW).key_id == KEY_ID


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_header_is_answered_by_a_code(covered: str, signature: str) -> None:
    code = refusal({"signature-input": covered, "signature": signature, "content-digest": "x"}).code
    assert code == "signature_malformed"
