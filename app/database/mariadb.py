"""Connections to MariaDB. Imported only where there is one: the driver costs memory."""

import ssl
from typing import Any

from pymysql.connections import Connection


class SharedTlsConnection(Connection):  # type: ignore[misc]
    """PyMySQL's connection with one TLS context for the whole process. TLS stays "preferred":
    used where the server offers it. A context of its own for each connection costs some 25 ms of
    processor time, during which the worker answers nobody."""

    _preferred: ssl.SSLContext | None = None

    def _create_ssl_ctx(self, sslp: dict[str, Any] | ssl.SSLContext) -> ssl.SSLContext:
        """Settings of TLS in the address name files, which may be renewed: they are read each
        time. Without any, nothing is read and no certificate is checked."""
        if sslp:
            context: ssl.SSLContext = super()._create_ssl_ctx(sslp)
            return context
        cls = SharedTlsConnection
        if cls._preferred is None:
            cls._preferred = super()._create_ssl_ctx({})
        return cls._preferred
