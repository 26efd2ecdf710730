"""The `trading data` commands: bars in and out of the system, and a look at them."""
