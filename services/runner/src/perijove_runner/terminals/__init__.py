"""Terminals: shells that outlive everything around them."""
