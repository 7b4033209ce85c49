"""Data sets of the plane: a separable cloud, and Peaks-5, which no linear model classifies.

Each kind is a class in the file of its name. Later topics may import `Peaks5`.
"""
