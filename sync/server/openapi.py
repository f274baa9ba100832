"""The description of the protocol for other programs: OpenAPI 3.1, made from the very structs that are decoded."""

from collections.abc import Mapping
from typing import Any

import msgspec

from sync import wire
from sync.wire import SCHEMA

_Pair = tuple[type[msgspec.Struct], type[msgspec.Struct]]
EXCHANGES: Mapping[str, _Pair] = {
    "hello": (wire.Hello, wire.HelloReply),
    "push": (wire.Push, wire.PushReply),
    "withdraw": (wire.Withdraw, wire.PushReply),
    "pull": (wire.Pull, wire.PullReply),
    "digests": (wire.Digests, wire.DigestsReply),
    "enrol": (wire.Enrol, wire.EnrolReply),
    "people": (wire.AddPerson, wire.AddPersonReply),
    "people/{account}/code": (wire.AddPerson, wire.AddPersonReply),
}
_PROBLEMS = {
    "400": "malformed, damaged_body",
    "401": "bad_signature, signature_missing, signature_malformed, digest_mismatch, clock_skew",
    "403": "revoked, out_of_scope, code_unknown, code_used, code_expired, too_many_tries",
    "409": "epoch, forked, clock",
    "408": "too_slow",
    "413": "too_large",
    "415": "unknown_encoding",
    "422": "invalid",
    "426": "upgrade",
    "429": "busy",
    "500": "server_error",
    "503": "unavailable",
}
BUNDLE = "/sync/v1/bundle"  # only where a server has its data in a folder of its own
_REFERENCE = "#/components/schemas/{name}"


def description() -> dict[str, Any]:
    """The whole document."""
    structs = {struct for pair in EXCHANGES.values() for struct in pair} | {wire.BlobReply, wire.Problem}
    ordered = sorted(structs, key=lambda struct: struct.__name__)
    schemas, components = msgspec.json.schema_components(ordered, ref_template=_REFERENCE)
    reference = dict(zip(ordered, schemas, strict=True))
    paths: dict[str, Any] = {
        f"/sync/v1/{name}": {"post": _operation(name, reference[sent], reference[reply], reference[wire.Problem])}
        for name, (sent, reply) in EXCHANGES.items()
    }
    paths["/sync/v1/blobs/{checksum}"] = _blobs(reference[wire.BlobReply], reference[wire.Problem])
    paths["/sync/v1/releases/{name}"] = _releases(reference[wire.Problem])
    paths[BUNDLE] = _bundle(reference[wire.Problem])
    for name in ("livez", "readyz"):
        answers = {"200": {"description": "yes"}}
        if name == "readyz":
            answers["503"] = {"description": "not now"}
        paths[f"/{name}"] = {"get": {"operationId": name, "responses": answers}}
    counted = {"description": "counted since the start, for Prometheus", "content": {"text/plain": {}}}
    paths["/metrics"] = {"get": {"operationId": "metrics", "responses": {"200": counted}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "qiaomen sync", "version": str(SCHEMA), "description": _ABOUT},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "signature": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Signature",
                    "description": "RFC 9421, Ed25519, over @method, @path, @query and content-digest",
                },
                "door": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "the secret of this run, which lies beside the data, for the server's own user",
                },
            },
        },
    }


_ABOUT = "Requests are JSON, as they are or compressed with zstd or gzip, and signed by an enrolled installation."


def _blobs(reply: Any, problem: Any) -> dict[str, Any]:
    """A piece of an attached file, known by its SHA-256; ``record`` is an attachment that names it."""
    octets: dict[str, Any] = {"content": {"application/octet-stream": {}}}
    refused = {
        status: {"description": codes, "content": {"application/json": {"schema": problem}}}
        for status, codes in {**_PROBLEMS, "404": "unknown_record, not_yet", "409": "offset"}.items()
    }
    parameters = [
        {"name": "checksum", "in": "path", "required": True, "schema": {"type": "string"}},
        {"name": "record", "in": "query", "required": True, "schema": {"type": "string"}},
        {"name": "offset", "in": "query", "schema": {"type": "integer", "minimum": 0}},
    ]
    shared = {"security": [{"signature": []}], "parameters": parameters}
    have = {"description": "done", "content": {"application/json": {"schema": reply}}}
    return {
        "get": {
            **shared,
            "operationId": "get_blob",
            "responses": {"200": {"description": "a piece", **octets}, **refused},
        },
        "put": {
            **shared,
            "operationId": "put_blob",
            "requestBody": {"required": True, **octets},
            "responses": {"200": have, **refused},
        },
    }


def _releases(problem: Any) -> dict[str, Any]:
    """A piece of a file of the release that this server offers."""
    octets: dict[str, Any] = {"content": {"application/octet-stream": {}}}
    refused = {
        status: {"description": codes, "content": {"application/json": {"schema": problem}}}
        for status, codes in {**_PROBLEMS, "404": "no_release"}.items()
    }
    parameters = [
        {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}},
        {"name": "offset", "in": "query", "schema": {"type": "integer", "minimum": 0}},
    ]
    return {
        "get": {
            "operationId": "get_release",
            "security": [{"signature": []}],
            "parameters": parameters,
            "responses": {"200": {"description": "a piece, empty behind the end", **octets}, **refused},
        }
    }


def _bundle(problem: Any) -> dict[str, Any]:
    """What a PC without a line sent by stick, handed in on this machine while the server holds its data."""
    octets: dict[str, Any] = {"content": {"application/octet-stream": {}}}
    codes = {
        **_PROBLEMS,
        "403": "out_of_scope",
        "404": "not_found: on PostgreSQL the command works on the database itself",
        "422": "bundle_not_one, bundle_damaged, bundle_newer, bundle_forged, bundle_wrong_way, bundle_other_centre, "
        "bundle_unknown_pc, bundle_revoked, bundle_no_key",
    }
    report = {"description": "what was done with it, JSON", "schema": {"type": "string"}}
    refused = {
        status: {"description": told, "content": {"application/json": {"schema": problem}}}
        for status, told in codes.items()
    }
    done = {"description": "the bundle for that PC", "headers": {"x-bundle-report": report}, **octets}
    return {
        "post": {
            "operationId": "bundle",
            "security": [{"door": []}],
            "requestBody": {"required": True, **octets},
            "responses": {"200": done, **refused},
        }
    }


def _operation(name: str, sent: Any, reply: Any, problem: Any) -> dict[str, Any]:
    responses: dict[str, Any] = {"200": {"description": "done", "content": {"application/json": {"schema": reply}}}}
    for status, codes in _PROBLEMS.items():
        responses[status] = {"description": codes, "content": {"application/json": {"schema": problem}}}
    operation: dict[str, Any] = {
        "operationId": name.partition("/")[0] if "{" not in name else "new_code",
        "security": [{"signature": []}],
        "requestBody": {"required": True, "content": {"application/json": {"schema": sent}}},
        "responses": responses,
    }
    if "{" in name:
        operation["parameters"] = [{"name": "account", "in": "path", "required": True, "schema": {"type": "string"}}]
    return operation
