"""Events: what has happened, published to all who want to know."""
