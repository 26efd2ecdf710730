"""Strategies on the command line: write, compare, activate, explain."""
