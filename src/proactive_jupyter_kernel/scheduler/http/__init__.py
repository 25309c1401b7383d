"""What the REST server and the portals share of HTTP."""
