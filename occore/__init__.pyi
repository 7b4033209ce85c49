from .arrays import (
    Array as Array,
    Controls as Controls,
    array_namespace as array_namespace,
    dot as dot,
    norm as norm,
)
from .case import (
    Case as Case,
    load_case as load_case,
)
from .checks import (
    CheckFailed as CheckFailed,
    check_map as check_map,
)
from .controls import (
    ControlSpace as ControlSpace,
)
from .data import (
    Data as Data,
    Dataset as Dataset,
    resolve as resolve,
)
from .discretization import (
    Discretization as Discretization,
)
from .dynamics import (
    Dynamics as Dynamics,
)
from .errors import (
    ComputationError as ComputationError,
    DataError as DataError,
    InputError as InputError,
    MissingExtra as MissingExtra,
    NonFiniteError as NonFiniteError,
    OccoreError as OccoreError,
    PluginError as PluginError,
    RunFileError as RunFileError,
    StructureError as StructureError,
    UnknownKind as UnknownKind,
    nearest as nearest,
    require as require,
)
from .example import (
    Example as Example,
)
from .interface import (
    Interface as Interface,
    overridable as overridable,
)
from .layout import (
    Layout as Layout,
)
from .linearization import (
    Linearization as Linearization,
    Products as Products,
)
from .objective import (
    ControlObjective as ControlObjective,
    Objective as Objective,
    ObjectiveLinearization as ObjectiveLinearization,
    PhaseControls as PhaseControls,
    TerminalObjective as TerminalObjective,
)
from .optimizer import (
    Optimizer as Optimizer,
    State as State,
    Status as Status,
    stop as stop,
)
from .phase import (
    Phase as Phase,
)
from .plugins import (
    hookimpl as hookimpl,
    load_host as load_host,
)
from .problem import (
    Problem as Problem,
)
from .runner import (
    resume as resume,
    run as run,
)
from .storage.run import (
    Run as Run,
    open_run as open_run,
)
from .structure import (
    Structure as Structure,
    affine_residual as affine_residual,
    dense_least_squares as dense_least_squares,
)
from .testing.models import (
    decay as decay,
)

__version__: str
