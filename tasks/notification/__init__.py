"""Steps of notification: messages and their delivery, health, logs, the daily summary."""
