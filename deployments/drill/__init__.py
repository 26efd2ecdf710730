"""The drill: the faults that a trading system has to survive, provoked on purpose in a system of the drill's own."""
