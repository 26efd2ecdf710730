"""Where messages go besides the inbox in the database."""

from __future__ import annotations

from typing import Any, ClassVar

from prefect.blocks.core import Block
from pydantic import Field, SecretStr

from trading.errors import UnavailableError


class NotificationChannels(Block):
    """Apprise addresses: e-mail, Slack, Telegram, webhooks and a hundred others."""

    _block_type_name = "Notification channels"
    _block_type_slug = "notification-channels"
    _description = "Apprise addresses that trade alerts, risk alerts and daily summaries are sent to."
    _logo_url: ClassVar[Any] = "https://raw.githubusercontent.com/caronc/apprise/master/packaging/logo.png"
    _documentation_url: ClassVar[Any] = "https://github.com/caronc/apprise/wiki"
    _code_example = """
    ```python
    from blocks.notification import NotificationChannels

    NotificationChannels.load("notification-channels").send("mailto#1", "subject", "body")
    ```
    """

    urls: list[SecretStr] = Field(default_factory=list, description="Apprise addresses, such as mailto://...")

    def names(self) -> list[str]:
        """Return a name for each channel, its scheme and place in the list: addresses hold secrets."""
        schemes = (url.get_secret_value().split(":", 1)[0] for url in self.urls)
        return [f"{scheme}#{place}" for place, scheme in enumerate(schemes, start=1)]

    def send(self, channel: str, subject: str, body: str) -> None:
        """Send one message through one channel.

        Raises
        ------
        UnavailableError
            The channel did not take the message.
        """
        import apprise

        url = self.urls[self.names().index(channel)].get_secret_value()
        sender = apprise.Apprise()
        if not sender.add(url):
            raise UnavailableError(
                f"channel {channel} has an address Apprise does not understand; check NOTIFICATION_URLS"
            )
        if not sender.notify(title=subject, body=body):
            raise UnavailableError(f"channel {channel} did not take the message; check its address and login")
