"""Which account PostgreSQL runs under, and where that account can keep its files.

PostgreSQL refuses to run as root. Started by root, the stack runs it as the existing account
`postgres` (or `nobody`), with a copy of the binaries and the data in a directory which that account
owns. That directory is `TRADING_HOME/postgres` when the account can reach it; below a private
directory such as `/root` it cannot, and then `/var/lib/trading-system/<hash of the home>` is used.
No permission of an existing directory is changed.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from pathlib import Path

from deployments.stack.component import Account
from trading.errors import ConfigurationError

_CANDIDATES = ("postgres", "_postgres", "nobody")
_SHARED = Path("/var/lib/trading-system")


def unprivileged() -> Account | None:
    """Return the account for servers that refuse root, or None when this process is not root.

    Raises
    ------
    ConfigurationError
        This process is root and the machine has no such account.
    """
    if sys.platform == "win32" or os.geteuid() != 0:
        return None
    import pwd

    for name in _CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise ConfigurationError(
        "PostgreSQL does not run as root and there is no account postgres or nobody; start as another user"
    )


def reachable(directory: Path, account: Account) -> bool:
    """Tell whether the account may enter every existing directory on the way to `directory`."""
    for place in (directory, *directory.parents):
        try:
            facts = place.stat()
        except FileNotFoundError:
            continue
        if facts.st_uid == account.uid:
            allowed = facts.st_mode & stat.S_IXUSR
        elif facts.st_gid == account.gid:
            allowed = facts.st_mode & stat.S_IXGRP
        else:
            allowed = facts.st_mode & stat.S_IXOTH
        if not allowed:
            return False
    return True


def database_directory(home: Path, account: Account | None) -> Path:
    """Return the directory for PostgreSQL's files; see the module's text for which."""
    if account is None or reachable(home, account):
        return home / "postgres"
    return _SHARED / hashlib.sha256(str(home).encode()).hexdigest()[:12]


def make_owned(directory: Path, account: Account | None) -> None:
    """Create a private directory of the account; parents that are missing stay passable."""
    directory.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
    directory.mkdir(exist_ok=True, mode=0o700)
    if account is not None and sys.platform != "win32" and directory.stat().st_uid != account.uid:
        os.chown(directory, account.uid, account.gid)
