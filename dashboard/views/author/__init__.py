"""The author page: strategies, their definitions and versions."""

from dashboard.views.author.page import draw

__all__ = ["draw"]
