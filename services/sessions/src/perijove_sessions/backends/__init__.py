"""Where sessions are kept, and how the services they need are reached."""
