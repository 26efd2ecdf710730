"""Messages out of the outbox through their channels."""

from __future__ import annotations

from prefect import task

from db.repositories import messages
from tasks.policies import REPEATABLE
from tasks.resources import channels, database
from trading.errors import UnavailableError
from trading.report import Report

ATTEMPTS = 5
AT_ONCE = 500
"""Messages a run sends at the most; the next run goes on."""


@task(**REPEATABLE)
def deliver_messages() -> Report:
    """Send every waiting message, one transaction each: a message is marked as it is sent.

    A kill between the channel's answer and our commit sends that one message again; nothing is lost.
    """
    sender = channels()
    done, rows = 0, []
    for _ in range(AT_ONCE):
        with database().begin() as connection:
            waiting = messages.claim(connection, attempts=ATTEMPTS)
            if waiting is None:
                break
            try:
                sender.send(waiting.channel, waiting.subject, waiting.body)
            except UnavailableError as error:
                final = waiting.attempts + 1 >= ATTEMPTS
                messages.failed(connection, waiting.id, error=str(error), final=final)
                rows.append({"channel": waiting.channel, "subject": waiting.subject, "error": str(error)})
                if not final:
                    break
            else:
                messages.delivered(connection, waiting.id)
                done += 1
    notes = [] if sender.names() else ["No channels are set (NOTIFICATION_URLS): messages are in the inbox only."]
    return Report("Messages delivered", {"delivered": done, "failed": len(rows)}, rows, notes)
