"""A program: so many clients that search for another word each time, until it is killed, which
closes their connections. `python -m tests.deploy.searchers URL COUNT`."""

import sys
import threading
from http.client import HTTPConnection, HTTPException
from itertools import count
from urllib.parse import urlsplit

HTML = {"Accept": "text/html"}


def ask(base: str, client: int) -> None:
    connection = HTTPConnection(urlsplit(base).netloc, timeout=60)
    for number in count():
        try:
            connection.request("GET", f"/cities?q=nothing-{client}-{number}", headers=HTML)
            connection.getresponse().read()
        except (OSError, HTTPException):
            connection.close()


def main() -> None:
    base, clients = sys.argv[1], int(sys.argv[2])
    for client in range(clients):
        threading.Thread(target=ask, args=(base, client)).start()


if __name__ == "__main__":
    main()
