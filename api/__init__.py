"""The HTTP face of the system: health, metrics, logs, results, run triggers."""
