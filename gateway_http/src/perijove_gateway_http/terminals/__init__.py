"""The WebSockets of terminals."""
