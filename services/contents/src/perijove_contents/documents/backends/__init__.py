"""Where the documents of front ends may be kept."""
