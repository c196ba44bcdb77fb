"""A client for /readyz."""

import json
from http.client import HTTPConnection, HTTPException

NO_ANSWER = "no answer"


def ask_readyz(connection: HTTPConnection) -> str | None:
    """None if the process is ready, otherwise NO_ANSWER or the problems that /readyz reports."""
    try:
        connection.request("GET", "/readyz")
        response = connection.getresponse()
        body = json.loads(response.read())
    except (OSError, HTTPException, ValueError):
        return NO_ANSWER
    finally:
        connection.close()
    if response.status == 200:
        return None
    texts = body.get("checks", {}).values()
    return ", ".join(text for text in texts if text != "ok" and not text.startswith("warning"))
