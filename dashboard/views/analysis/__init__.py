"""The analysis page, one module per tab."""

from dashboard.views.analysis.page import draw

__all__ = ["draw"]
