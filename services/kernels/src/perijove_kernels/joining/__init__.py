"""How runners of other machines become part of a deployment."""
