"""The edge: the standard Jupyter HTTP API, translated to calls of the services."""
