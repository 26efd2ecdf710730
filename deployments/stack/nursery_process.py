"""The process that imports Prefect once and forks; `python -m deployments.stack.nursery_process`, on Linux.

It reads one order per line from stdin, a JSON object with a module and its arguments, the environment,
the log and the directory, and answers on stdout with the process id, and later with each exit code. It
ends when stdin does.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import selectors
import signal
import sys
from pathlib import Path
from typing import Any

_READ = 65536
_SHARED = (
    "deployments.warm_worker",
    "fastapi",
    "prefect.client.orchestration",
    "prefect.events.clients",
    "prefect.workers.process",
    "prefect.workers.server",
    "uvicorn.main",
)


def main() -> None:
    """Import, then serve orders; in a fork, run the ordered program to its end."""
    _import()
    order = serve()
    if order is not None:
        become(order)


def _import() -> None:
    """Import what the forks need; none of it may start a thread, because only this one is forked."""
    import prefect.workers.server  # noqa: F401 - imported for its effect

    import deployments.worker  # noqa: F401 - imported for its effect

    gc.collect()
    gc.freeze()  # keeps the collector from touching, and so copying, pages shared with the forks


def serve() -> dict[str, Any] | None:
    """Serve orders until stdin ends: None then, and in each fork its order."""
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    os.set_blocking(wake_read, False)
    signal.set_wakeup_fd(wake_write)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    chooser = selectors.DefaultSelector()
    chooser.register(0, selectors.EVENT_READ)
    chooser.register(wake_read, selectors.EVENT_READ)
    pending = b""
    while True:
        for key, _ in chooser.select():
            chunk = os.read(key.fd, _READ)
            if key.fd == wake_read:
                _report_ended()
                continue
            if not chunk:
                return None
            *lines, pending = (pending + chunk).split(b"\n")
            for line in lines:
                order: dict[str, Any] = json.loads(line)
                if (pid := os.fork()) == 0:
                    return order
                _say({"ticket": order["ticket"], "pid": pid})


def _say(news: dict[str, int]) -> None:
    os.write(1, json.dumps(news).encode() + b"\n")


def _report_ended() -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        _say({"ended": pid, "code": os.waitstatus_to_exitcode(status)})


def become(order: dict[str, Any]) -> None:
    """Turn this fork into the ordered program."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.setsid()
    os.umask(0o077)
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.closerange(3, max(log, nothing) + 64)
    os.environ.clear()
    os.environ.update(order["environment"])
    if order["directory"]:
        os.chdir(Path(order["directory"]))
    _refresh()
    module, *arguments = order["arguments"]
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _refresh() -> None:
    """Let Prefect see this program's environment instead of the nursery's."""
    from prefect.context import refresh_global_settings_context
    from prefect.logging.configuration import setup_logging

    refresh_global_settings_context()
    setup_logging(incremental=False)


if __name__ == "__main__":
    main()
