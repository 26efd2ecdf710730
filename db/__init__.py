"""Storage: settings to engine, models, repositories, bulk COPY and migrations."""
