"""Steps of execution: submission, following orders, positions, reconciliation."""
