"""The settings page, one module per tab."""

from dashboard.views.settings.page import draw

__all__ = ["draw"]
