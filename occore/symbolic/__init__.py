"""Symbols: tracing of model code, exact derivatives, generated kernels, safe expressions.

    array, namespace              SymPy expressions behind the Array API
    derivation                    traced maps and their derivatives, to check models against
    vocabulary, tokens, expressions       text of a case file to an expression; runs no code
    lowering, tape, builder       expressions to straight-line programs
    partials, differentiation     derivatives of those
    printing, source, cache       source code of those; derivatives kept on disk
    array_kernel, compiled_kernel, kernels       at work: NumPy and other libraries, Numba
    dynamics, expression_dynamics                dynamics from rates, in Python or in a case file
    bolza, running_cost, end_cost, cost_kernels  objectives from expressions

SymPy is imported by `array` and what stands on it, by `derivation`, `lowering` and `tracing`; the
others import it when they are used, so that a plugin with symbolic dynamics is quick to load.
"""
