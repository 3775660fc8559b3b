# What __init__.py offers, for type checkers and editors.
from . import transformers as transformers
from .errors import (
    ArgumentError as ArgumentError, Busy as Busy, Cancelled as Cancelled, ContextError as ContextError,
    Denied as Denied, Error as Error, FormatError as FormatError, NetworkError as NetworkError,
    NotFound as NotFound, NumericError as NumericError, OutOfMemory as OutOfMemory,
    RangeError as RangeError, ReadWriteError as ReadWriteError, TextError as TextError,
    Unsupported as Unsupported,
)
from .jobs import (
    diff as diff, tensors as tensors, versus as versus,
)
from .model import (
    Info as Info, Model as Model, load as load,
)
from .options import (
    UnknownOption as UnknownOption,
)
from .results import (
    Beam as Beam, Candidate as Candidate, Change as Change, Char as Char, Compared as Compared,
    Continuation as Continuation, Continuations as Continuations, Counts as Counts, DiffSum as DiffSum,
    Effort as Effort, Explanation as Explanation, Facts as Facts, Generation as Generation, Head as Head,
    Inspection as Inspection, LayerCell as LayerCell, LayerChoice as LayerChoice, Next as Next,
    Option as Option, Output as Output, Perplexity as Perplexity, Proof as Proof, Result as Result,
    Results as Results, Rows as Rows, Score as Score, ScoredToken as ScoredToken, Step as Step,
    Steps as Steps, TensorDiff as TensorDiff, TensorInfo as TensorInfo, Tensors as Tensors,
    TensorsCompared as TensorsCompared, Text as Text, Token as Token, Tokens as Tokens, Totals as Totals,
    Versus as Versus, VersusToken as VersusToken, Word as Word,
)
from .session import (
    Captured as Captured, EVERY as EVERY, Edit as Edit, Place as Place, Session as Session,
)
from .streams import (
    Piece as Piece, Stream as Stream,
)
from .tokenizer import (
    Encoding as Encoding, Tokenizer as Tokenizer,
)

__version__: str
