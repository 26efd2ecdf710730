"""Steps of risk management: sizes, limits, portfolio risk, alerts."""
