"""What the Prefect server is told: pools, limits, automations, deployments; and the user's Prefect profile."""
