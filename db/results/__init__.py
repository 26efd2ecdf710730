"""The read side: queries that answer with rows, one module per subject; nothing here writes or commits."""
