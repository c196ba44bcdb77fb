"""Connections to MariaDB. Imported only if they are used, because the driver needs memory."""

import ssl
from typing import Any

from pymysql.connections import Connection


class SharedTlsConnection(Connection):  # type: ignore[misc]
    """A PyMySQL connection with one TLS context for the process, because a context takes 25 ms of
    CPU time. TLS is "preferred": it is used if the server offers it."""

    _preferred: ssl.SSLContext | None = None

    def _create_ssl_ctx(self, sslp: dict[str, Any] | ssl.SSLContext) -> ssl.SSLContext:
        """Share the context only if the URL has no TLS options: those name files, which may be
        renewed and are read for each connection."""
        if sslp:
            context: ssl.SSLContext = super()._create_ssl_ctx(sslp)
            return context
        cls = SharedTlsConnection
        if cls._preferred is None:
            cls._preferred = super()._create_ssl_ctx({})
        return cls._preferred
