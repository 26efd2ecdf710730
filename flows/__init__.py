"""The services: one module per service, plus the orchestrating flows."""
