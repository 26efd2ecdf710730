"""The background supervisor: `python -m deployments.stack`."""

from __future__ import annotations

import sys

from deployments.stack.launch import detached_main
from trading.config import home

if __name__ == "__main__":
    sys.exit(detached_main(home()))
