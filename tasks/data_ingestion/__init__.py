"""Steps of data ingestion: the universe, bars and corporate actions, quality, the archive."""
