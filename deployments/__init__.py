"""How it all runs: the local stack, workers, bootstrap and the `trading` command."""
