"""The tree of errors: each class answers whose fault it is; codes and parameters, never prose.

QiaomenError
├── RuleError          what was entered breaks a rule (shown beside the field; the form stays open)
├── AccessError        the viewer or author has no right to it
├── KeysError          unlocking: wrong PIN, wrong recovery code, locked for a while, damaged key file
│   ├── WrongPin       this PIN does not open this account's slot; says how many tries are left
│   └── PinLocked      too many wrong PINs: wait until the time named
├── TrustError         something issued (a preset, a release) that is not as its issuer made it; nothing of it was used
├── StoreError         the local file: full, busy, read-only, damaged, newer, in use
└── SyncError          the line and the server
    ├── Offline        no line, no answer, or something that is not our server (a captive portal)
    ├── Refused        the server answered and will not: signature, code, rights, version
    │   └── BadSignature   a request that is not signed, or not by whom it says, or not now
    ├── BadMessage     bytes that are not a message of the protocol: damaged, too large, another encoding
    ├── BundleError    a file carried on a stick: not ours, damaged, forged, for somebody else, too new
    └── ServerTrouble  the server is there and broken or overloaded
"""

from typing import Any

Params = dict[str, Any]  # values for the sentence: numbers, dates, ids; never residents' data


class QiaomenError(Exception):
    """Base of all errors a person may be told of: ``code`` picks the words, ``params`` fill them."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params: Params = params


class RuleError(QiaomenError):
    """An intent breaks a rule; ``field`` names the input to show it at."""

    def __init__(self, field: str, code: str, **params: Any) -> None:
        super().__init__(code, **params)
        self.field = field


class AccessError(QiaomenError):
    """The role does not allow it; asked by client and server alike."""


class KeysError(QiaomenError):
    """The database key could not be had.

    Codes: wrong_recovery_code, recovery_code_mistyped, code_mistyped, code_expired, code_file_unreadable,
    code_file_empty, code_file_unwritable, no_slot, last_slot, other_device,
    keys_missing, keys_exist, keys_damaged, keys_newer, keys_unreadable, keys_unwritable.
    """


class WrongPin(KeysError):
    """wrong_pin: ``left`` tries before a wait; at the last one ``until`` (ms since 1970) says when to try again."""


class PinLocked(KeysError):
    """locked_until: nothing was tried; ``until`` (ms since 1970) says when it will be."""


class TrustError(QiaomenError):
    """A signed thing is not as its issuer made it, or not one of ours; nothing of it was used.

    Codes of keys and signatures: public_key_unreadable, secret_key_unreadable, secret_key_locked,
    secret_key_passphrase, signature_unreadable, signature_unknown_key, signature_wrong; and of what is signed:
    manifest_unreadable, manifest_newer. Of a preset: preset_missing, preset_unreadable, preset_link, preset_stranger,
    preset_too_large, preset_lacks, preset_changed, preset_unfit, preset_older, preset_other_community, preset_unkept.
    """


class StoreError(QiaomenError):
    """The local file: disk_full, busy, read_only, damaged, newer, in_use, wrong_key, missing."""


class SyncError(QiaomenError):
    """Base of what can go wrong between this PC and the server."""


class Offline(SyncError):
    """No usable line: no_line, timeout, not_our_server, certificate, certificate_day. A state of the world."""


class Refused(SyncError):
    """The server's answer is no: code as the server gave it (bad_signature, clock_skew, code_used, …)."""


class BadSignature(Refused):
    """signature_missing, signature_malformed, digest_mismatch, clock_skew, bad_signature."""


class BadMessage(SyncError):
    """malformed (``at`` names the place), damaged_body, too_large, unknown_encoding."""


class BundleError(SyncError):
    """A bundle, the file of sync by stick; whatever the code, nothing was changed by it.

    Codes: bundle_not_one, bundle_damaged, bundle_newer, bundle_forged, bundle_wrong_way, bundle_other_community,
    bundle_other_pc, bundle_other_centre, bundle_unknown_pc, bundle_revoked, bundle_no_key,
    bundle_unwritable, bundle_unreadable, bundle_stick_full.
    """


class ServerTrouble(SyncError):
    """The server failed (5xx) or asks to wait; ``retry_after_s`` in the parameters when it said so."""
