"""The commands about trading itself: its state, reconciliation, and where an order came from."""
