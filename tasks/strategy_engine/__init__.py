"""Steps of the strategy engine: indicators, signals, backtests."""
