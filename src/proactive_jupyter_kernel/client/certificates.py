"""Which certificates a connection accepts: those that this machine trusts, those of a file, or any."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from proactive_jupyter_kernel.errors import SetupError

if TYPE_CHECKING:
    import ssl

__all__ = ["context_for"]

#: Variables that name a file of certificates, as OpenSSL, requests and curl read them.
_FILES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def context_for(verify: bool | str) -> ssl.SSLContext | bool:
    """What httpx2 is to check certificates with; True: the certificates that this machine trusts.

    `verify` is a switch or the path of a file of trusted certificates. Raises `SetupError` for a file that has none.
    """
    if isinstance(verify, str):
        return _of_file(verify, "verify")
    if not verify:
        return False
    for name in _FILES:
        if path := os.environ.get(name, "").strip():
            return _of_file(path, f"the environment variable {name}")
    return True


def _of_file(path: str, source: str) -> ssl.SSLContext:
    import ssl

    place = Path(path).expanduser()
    try:
        if place.is_dir():
            return ssl.create_default_context(capath=place)
        return ssl.create_default_context(cafile=place)
    except (OSError, ssl.SSLError) as error:
        reason = "it holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror or str(error)
        raise SetupError(
            f"The file of certificates {place}, which {source} names, cannot be used: {reason}.",
            hint="It is a text file with -----BEGIN CERTIFICATE-----; the administrator of the server has it.",
        ) from None
