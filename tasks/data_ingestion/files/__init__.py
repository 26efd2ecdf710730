"""Bars from files: CSV and Parquet, single files, folders and fsspec URLs, read in batches."""
