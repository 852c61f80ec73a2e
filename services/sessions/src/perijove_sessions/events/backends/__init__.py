"""Where events are kept, and where their schemas come from."""
