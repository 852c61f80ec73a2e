"""Where the document tree may be kept."""
