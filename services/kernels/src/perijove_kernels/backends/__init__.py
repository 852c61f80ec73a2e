"""Where the registry is kept, and how runners are reached."""
