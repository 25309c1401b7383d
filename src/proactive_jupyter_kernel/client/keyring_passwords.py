"""Passwords in the keyring of the operating system: the optional package ``keyring`` (the extra of that name).

An entry has the address of the server as its service: ``keyring set https://HOST:8443 LOGIN``. Nothing is written.
"""

from __future__ import annotations

import importlib.util
import threading
from dataclasses import replace

from proactive_jupyter_kernel.client.config import Settings
from proactive_jupyter_kernel.client.secret import Secret

__all__ = ["with_password"]

#: Seconds for an answer: a locked keyring may open a dialog that the user does not see.
PATIENCE = 5.0


def with_password(settings: Settings) -> Settings:
    """The settings with login and password of the keyring, where they lack them and it has them."""
    if settings.complete or settings.password or importlib.util.find_spec("keyring") is None:
        return settings
    found: list[tuple[str, Secret]] = []
    asking = threading.Thread(target=lambda: found.extend(_asked(settings)), daemon=True)
    asking.start()
    asking.join(PATIENCE)
    return replace(settings, login=found[0][0], password=found[0][1]) if found else settings


def _asked(settings: Settings) -> list[tuple[str, Secret]]:
    import keyring
    import keyring.errors

    try:
        credential = keyring.get_credential(settings.url, settings.login or None)
    except (keyring.errors.KeyringError, OSError, RuntimeError):
        return []
    if credential is None or not credential.password or not credential.username:
        return []
    return [(credential.username, Secret(credential.password))]
