"""Steps of analytics: performance, round trips, reports, research."""
