"""Write side and rows for decisions: functions that take a connection and never commit."""
