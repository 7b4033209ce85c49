from .arrays import (
    Array as Array,
)
from .arrays import (
    Controls as Controls,
)
from .arrays import (
    array_namespace as array_namespace,
)
from .arrays import (
    dot as dot,
)
from .arrays import (
    is_sparse as is_sparse,
)
from .arrays import (
    norm as norm,
)
from .case import (
    Case as Case,
)
from .case import (
    load_case as load_case,
)
from .checks import (
    CheckFailed as CheckFailed,
)
from .checks import (
    check_map as check_map,
)
from .classification import (
    true_classes as true_classes,
)
from .composition import (
    second_adjoint as second_adjoint,
)
from .controls import (
    ControlSpace as ControlSpace,
)
from .costates import (
    Course as Course,
)
from .costates import (
    courses as courses,
)
from .data import (
    Data as Data,
)
from .data import (
    Dataset as Dataset,
)
from .data import (
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
)
from .errors import (
    DataError as DataError,
)
from .errors import (
    InputError as InputError,
)
from .errors import (
    MissingExtra as MissingExtra,
)
from .errors import (
    NonFiniteError as NonFiniteError,
)
from .errors import (
    OccoreError as OccoreError,
)
from .errors import (
    PluginError as PluginError,
)
from .errors import (
    RunFileError as RunFileError,
)
from .errors import (
    StructureError as StructureError,
)
from .errors import (
    UnknownKind as UnknownKind,
)
from .errors import (
    nearest as nearest,
)
from .errors import (
    require as require,
)
from .evaluation import (
    Evaluation as Evaluation,
)
from .evaluations import (
    efforts as efforts,
)
from .events import (
    Event as Event,
)
from .example import (
    Example as Example,
)
from .interface import (
    Interface as Interface,
)
from .interface import (
    abstract_attribute as abstract_attribute,
)
from .interface import (
    overridable as overridable,
)
from .kernels.convolution import (
    StencilKernel as StencilKernel,
)
from .kernels.pooling import (
    WindowKernel as WindowKernel,
)
from .kernels.row_products import (
    matrix_product as matrix_product,
)
from .kernels.row_products import (
    transposed_product as transposed_product,
)
from .layout import (
    Layout as Layout,
)
from .linearization import (
    JointSecond as JointSecond,
)
from .linearization import (
    Linearization as Linearization,
)
from .linearization import (
    LinearMap as LinearMap,
)
from .linearization import (
    Products as Products,
)
from .model_matrices import (
    AffineResidual as AffineResidual,
)
from .model_matrices import (
    DenseLeastSquares as DenseLeastSquares,
)
from .model_matrices import (
    LinearModel as LinearModel,
)
from .model_matrices import (
    affine_residual as affine_residual,
)
from .model_matrices import (
    column_norms as column_norms,
)
from .model_matrices import (
    dense_least_squares as dense_least_squares,
)
from .model_matrices import (
    linear_model as linear_model,
)
from .objective import (
    ControlObjective as ControlObjective,
)
from .objective import (
    EndObjective as EndObjective,
)
from .objective import (
    Objective as Objective,
)
from .objective import (
    ObjectiveLinearization as ObjectiveLinearization,
)
from .objective import (
    PhaseControls as PhaseControls,
)
from .objective import (
    RunningObjective as RunningObjective,
)
from .objective import (
    TerminalObjective as TerminalObjective,
)
from .objective import (
    Total as Total,
)
from .observer import (
    Observer as Observer,
)
from .optimizer import (
    Optimizer as Optimizer,
)
from .optimizer import (
    State as State,
)
from .optimizer import (
    Status as Status,
)
from .optimizer import (
    stop as stop,
)
from .phase import (
    Phase as Phase,
)
from .plotting import (
    plot_pictures as plot_pictures,
)
from .plotting import (
    save_figure as save_figure,
)
from .plotting import (
    square_pictures as square_pictures,
)
from .plugins import (
    hookimpl as hookimpl,
)
from .plugins import (
    load_host as load_host,
)
from .problem import (
    Problem as Problem,
)
from .runner import (
    resume as resume,
)
from .runner import (
    run as run,
)
from .sparse_quadratic import (
    SparseQuadratic as SparseQuadratic,
)
from .sparse_quadratic import (
    sparse_quadratic as sparse_quadratic,
)
from .stability import (
    stability as stability,
)
from .storage.run import (
    Run as Run,
)
from .storage.run import (
    open_run as open_run,
)
from .structure import (
    Structure as Structure,
)
from .structure import (
    require_structure as require_structure,
)
from .structure import (
    spoiler as spoiler,
)
from .symbolic.bolza import (
    Bolza as Bolza,
)
from .symbolic.dynamics import (
    SymbolicDynamics as SymbolicDynamics,
)
from .symbolic.expression_dynamics import (
    ExpressionDynamics as ExpressionDynamics,
)
from .testing.models import (
    decay as decay,
)
from .threads import (
    shard_pool as shard_pool,
)
from .time_control import (
    TIME as TIME,
)

__version__: str
from .initialisation import (
    Initialisation as Initialisation,
)
from .initialisation import (
    initial_weights as initial_weights,
)
from .kernels.activations import (
    Activation as Activation,
)
from .kernels.activations import (
    ActivationName as ActivationName,
)
from .kernels.activations import (
    activation as activation,
)
