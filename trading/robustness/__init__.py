"""Whether a backtest is to be believed: checks that each give a verdict, a figure and a sentence."""
