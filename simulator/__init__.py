"""A stand-in for Alpaca that speaks its HTTP protocol over real market data."""
