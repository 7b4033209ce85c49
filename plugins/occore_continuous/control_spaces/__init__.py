"""Control spaces: how controls depend on time. One space a file."""
