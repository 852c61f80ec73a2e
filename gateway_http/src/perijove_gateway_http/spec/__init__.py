"""What is served, as OpenAPI: the routes with what is written here about each."""
