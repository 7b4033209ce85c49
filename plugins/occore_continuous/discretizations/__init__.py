"""Discretizations: one method a file, and the functions that families of methods share."""
