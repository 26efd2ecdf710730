"""The routes, one module per resource; `ROUTERS` is all of them."""

from api.routes import (
    backtests,
    deployments,
    lineage,
    logs,
    market,
    messages,
    orders,
    performance,
    portfolio,
    quality,
    reports,
    risk,
    signals,
    strategies,
    system,
)

ROUTERS = (
    system.router,
    logs.router,
    portfolio.router,
    orders.router,
    lineage.router,
    signals.router,
    strategies.router,
    backtests.router,
    performance.router,
    reports.router,
    risk.router,
    market.router,
    quality.router,
    messages.router,
    deployments.router,
)
"""Every router, in the order the documentation lists them."""
