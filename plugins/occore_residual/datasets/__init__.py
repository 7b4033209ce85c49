"""Points of the plane that residual networks are tried on."""
