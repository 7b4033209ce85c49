"""The derivative ladder as a conformance suite over everything that is registered.

    conformance             the checks of each family, and `conform`, which runs them on an example
    dynamics, discretization, objective, optimizer, control_space, dataset
                            what the things of a family owe
    dynamics_maps, step_maps, objective_maps     a dynamics, a step, a solve or a term as a map
    target, maps, second_order, samples          checks of any map y(x, u)
    namespaces              traced formulas and the strict Array API
    step_orders             orders of steps, error estimates and dense output
    adjoint_orders          orders of adjoints and gradients
    compiled                fields and marches by Numba against those by NumPy
    objective_contracts, squares                 options, samples and residuals of objectives
    points, variants        where things are tried: near the example, with every choice of options
    comparison              what it means to agree
    models, fields, terms   small dynamics, a step, a control space and an objective to try with
    mutation                planted bugs, for checks of checks
    test_conformance        all of it for pytest: `pytest --pyargs occore.testing`

Everything but the last works without pytest. A check is a function of an example (or a map) and a
random generator that returns nothing, and raises CheckFailed with numbers where something is wrong.
"""
