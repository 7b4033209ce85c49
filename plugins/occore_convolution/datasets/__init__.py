"""Data sets of pictures: those of another set resampled, and pixels of discs and squares.

Each kind is a class in the file of its name.
"""
