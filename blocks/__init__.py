"""Prefect blocks: credentials in, clients out."""

from blocks.alpaca import AlpacaCredentials
from blocks.catalogue import save_all
from blocks.notification import NotificationChannels

__all__ = ["AlpacaCredentials", "NotificationChannels", "save_all"]
