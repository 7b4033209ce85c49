"""Data sets of observed trajectories."""
