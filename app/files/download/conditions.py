"""Conditions and ranges of a download, as RFC 9110 defines them. Stored files never change, so both
validators of a file are strong: its ETag and the time it was stored."""

import re
from datetime import datetime

from flask import request
from werkzeug.datastructures import ETags
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.http import parse_date, parse_etags

# Several ranges and other units are answered with the whole file.
ONE_RANGE = re.compile(r"bytes=\s*(?P<first>[0-9]{1,99})?-(?P<last>[0-9]{1,99})?", re.IGNORECASE)


def check_conditions(etag: str, modified: datetime) -> int:
    """The status by the preconditions of this request: 412, 304, or 200 if it is to be answered
    (13.2.2)."""
    if_match, if_none_match = etags("If-Match"), etags("If-None-Match")
    unmodified = parse_date(request.headers.get("If-Unmodified-Since"))
    if if_match is not None:
        if not (if_match.star_tag or if_match.is_strong(etag)):
            return 412
    elif unmodified is not None and modified > unmodified:
        return 412
    since = parse_date(request.headers.get("If-Modified-Since"))
    if if_none_match is not None:
        return 304 if if_none_match.star_tag or if_none_match.contains_weak(etag) else 200
    return 304 if since is not None and modified <= since else 200


def etags(name: str) -> ETags | None:
    """The ETags in a header; None without it."""
    text = request.headers.get(name, "").strip()
    return parse_etags(text) if text else None


def requested_range(etag: str, modified: datetime, length: int) -> range | None:
    """The part of a file that is requested, None for the whole file; 416 for one that the file does
    not have."""
    wanted = ONE_RANGE.fullmatch(request.headers.get("Range", "").strip())
    if wanted is None or request.method != "GET" or not length or not may_be_part(etag, modified):
        return None
    first, last = (None if text is None else int(text) for text in wanted.group("first", "last"))
    if first is None:
        if last is None:
            return None
        first, last = max(0, length - last), length - 1  # the last bytes
    elif last is not None and first > last:
        return None
    if first >= length:
        raise RequestedRangeNotSatisfiable(length)
    return range(first, min(length, length if last is None else last + 1))


def may_be_part(etag: str, modified: datetime) -> bool:
    """True unless `If-Range` names another state of the file (13.1.5): it has the very ETag, which
    is not weak, or the very date."""
    text = request.headers.get("If-Range", "").strip()
    return not text or text == f'"{etag}"' or parse_date(text) == modified
