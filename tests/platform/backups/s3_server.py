"""A small S3-compatible storage on this machine: what the portal asks of one, and no more.

It checks signatures (AWS Signature Version 4) and the checksum that is sent with what is stored, lists in
pages of two, and can be told to answer with an error.
"""

import base64
import hashlib
import hmac
import http.server
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import escape, unescape

KEY_ID, SECRET_KEY = "portal-key", "a-secret-of-the-storage"
Answer = tuple[int, bytes, dict[str, str]]  # status, content and headers
PAGE = 2  # keys in one answer of a listing


@dataclass
class Bucket:
    """What the storage holds, and how it answers."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    parts: dict[str, dict[int, bytes]] = field(default_factory=dict)  # of uploads that have not ended
    answers: dict[str, int] = field(default_factory=dict)  # a status for each method that is to fail
    requests: list[str] = field(default_factory=list)
    without_checksum: list[str] = field(default_factory=list)  # what was stored unchecked


@contextmanager
def s3_storage() -> Iterator[Bucket]:
    """The storage, on a port of its own, until the block ends."""
    bucket = Bucket()
    handler = type("Handler", (_Handler,), {"bucket": bucket})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    bucket.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield bucket
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(http.server.BaseHTTPRequestHandler):
    bucket: Bucket
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def _answer(self) -> None:
        bucket, parts = self.bucket, urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        bucket.requests.append(f"{self.command} {self.path}")
        if self.command == "PUT" and "x-amz-checksum-sha256" not in self.headers:
            bucket.without_checksum.append(self.path)
        if status := bucket.answers.get(self.command):
            answer: Answer = (status, b"<Error><Code>SlowDown</Code></Error>", {})
        elif not _is_signed(self.command, parts, self.headers):
            answer = (403, b"<Error><Code>SignatureDoesNotMatch</Code></Error>", {})
        elif not _is_whole(self.headers, body):
            answer = (400, b"<Error><Code>BadDigest</Code></Error>", {})
        else:
            key = unquote(parts.path).split("/", 2)[2:]  # after the bucket's name
            query = parse_qs(parts.query, keep_blank_values=True)
            answer = ACTS[self.command](bucket, key[0] if key else "", query, body)
        self._send(*answer)

    def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(content))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815 - the library's names


def _get(bucket: Bucket, key: str, query: dict[str, list[str]], _body: bytes) -> Answer:
    if "list-type" in query:
        return 200, _listing(bucket, query), {"Content-Type": "application/xml"}
    if key not in bucket.files:
        return 404, b"<Error><Code>NoSuchKey</Code></Error>", {}
    content = bucket.files[key]
    return 200, content, {"ETag": _etag(content), "Last-Modified": "Sat, 28 Nov 2026 02:15:00 GMT"}


def _put(bucket: Bucket, key: str, query: dict[str, list[str]], body: bytes) -> Answer:
    if "partNumber" in query:
        bucket.parts[query["uploadId"][0]][int(query["partNumber"][0])] = body
    else:
        bucket.files[key] = body
    return 200, b"", {"ETag": _etag(body)}


def _post(bucket: Bucket, key: str, query: dict[str, list[str]], body: bytes) -> Answer:
    if "delete" in query:
        keys = re.findall(r"<Key>([^<]*)</Key>", body.decode())
        for name in keys:
            bucket.files.pop(unescape(name), None)
        return 200, _xml("DeleteResult", "".join(f"<Deleted><Key>{k}</Key></Deleted>" for k in keys)), {}
    if "uploads" in query:
        upload = f"upload-{len(bucket.parts)}"
        bucket.parts[upload] = {}
        return 200, _xml("InitiateMultipartUploadResult", f"<UploadId>{upload}</UploadId>"), {}
    parts = bucket.parts.pop(query["uploadId"][0])
    bucket.files[key] = b"".join(parts[number] for number in sorted(parts))
    etag = f"<ETag>{_etag(bucket.files[key])}</ETag>"
    return 200, _xml("CompleteMultipartUploadResult", etag), {}


def _delete(bucket: Bucket, key: str, query: dict[str, list[str]], _body: bytes) -> Answer:
    if "uploadId" in query:
        bucket.parts.pop(query["uploadId"][0], None)
    else:
        bucket.files.pop(key, None)
    return 204, b"", {}


ACTS = {"GET": _get, "HEAD": _get, "PUT": _put, "POST": _post, "DELETE": _delete}


def _listing(bucket: Bucket, query: dict[str, list[str]]) -> bytes:
    prefix = query.get("prefix", [""])[0]
    after = query.get("continuation-token", [""])[0]
    keys = [key for key in sorted(bucket.files) if key.startswith(prefix) and key > after]
    page = keys[:PAGE]
    entries = "".join(
        f"<Contents><Key>{escape(key)}</Key><LastModified>2026-11-28T02:15:00Z</LastModified>"
        f"<ETag>{_etag(bucket.files[key])}</ETag><Size>{len(bucket.files[key])}</Size></Contents>"
        for key in page
    )
    more = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if len(keys) > PAGE else ""
    return _xml("ListBucketResult", f"{more}<IsTruncated>{str(bool(more)).lower()}</IsTruncated>{entries}")


def _xml(name: str, content: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?><{name}>{content}</{name}>'.encode()


def _etag(content: bytes) -> str:
    return f'"{hashlib.md5(content).hexdigest()}"'


def _is_whole(headers: Any, body: bytes) -> bool:
    """Whether the checksum that is sent with a content is its own."""
    sent = headers.get("x-amz-checksum-sha256")
    return sent is None or sent == base64.b64encode(hashlib.sha256(body).digest()).decode()


def _is_signed(method: str, parts: Any, headers: Any) -> bool:
    """Whether the request is signed with the right key, as AWS describes Signature Version 4."""
    try:
        words = headers["Authorization"].split(" ", 1)[1].replace(", ", ",").split(",")
        given = dict(word.split("=", 1) for word in words)
        key_id, day, region, service, end = given["Credential"].split("/")
    except (AttributeError, IndexError, KeyError, ValueError, TypeError):
        return False
    names = given["SignedHeaders"].split(";")
    query = sorted(
        (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
        for name, values in parse_qs(parts.query, keep_blank_values=True).items()
        for value in values
    )
    request = "\n".join(
        (
            method,
            parts.path,
            "&".join(f"{name}={value}" for name, value in query),
            *(f"{name}:{' '.join(headers[name].split())}" for name in names),
            "",
            given["SignedHeaders"],
            headers["x-amz-content-sha256"],
        )
    )
    scope = f"{day}/{region}/{service}/{end}"
    text = "\n".join(
        ("AWS4-HMAC-SHA256", headers["x-amz-date"], scope, hashlib.sha256(request.encode()).hexdigest())
    )
    key = f"AWS4{SECRET_KEY}".encode()
    for part in (day, region, service, end):
        key = hmac.digest(key, part.encode(), "sha256")
    return key_id == KEY_ID and hmac.digest(key, text.encode(), "sha256").hex() == given["Signature"]
