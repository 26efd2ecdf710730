"""The business, pure: no framework, no clock, no IO."""
