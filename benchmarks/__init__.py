"""Speed beside peers, in one process run: `make bench`."""
