"""Time to event under competing events."""
