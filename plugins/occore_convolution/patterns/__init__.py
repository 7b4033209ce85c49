"""Parametric matrices K(θ) = mat(Qθ), one kind a file."""
