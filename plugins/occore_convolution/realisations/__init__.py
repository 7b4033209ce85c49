"""One convolution, computed in several ways: all give the same numbers to rounding."""
