"""Graphs of point clouds: neighbours, edges with squared distances, weights, Laplacians."""
