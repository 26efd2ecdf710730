"""Prefect blocks: credentials in, clients out."""
