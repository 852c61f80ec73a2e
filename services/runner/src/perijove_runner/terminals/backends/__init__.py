"""The machine below terminals: the process that holds each, and where it is found."""
