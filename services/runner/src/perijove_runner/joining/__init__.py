"""How a runner becomes part of a deployment on another machine, before it starts."""
