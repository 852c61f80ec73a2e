"""Files, and the authority that signs certificates."""
