"""The small documents of front ends: configuration, settings, workspaces."""
