"""Data sets with a known answer.

    kind            what it is
    sinc            sin x / x with noise, and a clean test set; the example of extreme learning
    peaks           the peaks function at points of the plane
    inverse_crime   outputs of a single layer network with known weights

Each kind is a class in the file of its name.
"""
