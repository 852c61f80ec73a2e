"""Terminals, wherever they are: placed, found and passed on."""
