"""Data sets of 1986, all generated, and pictures of shapes."""
