"""The vanilla RNN (Elman 1990): one matrix makes each state of the one before."""

from torch import Tensor
from torch.nn.functional import pad

from lstm_core.activations import as_code, as_latex
from lstm_core.cells.family import Blocks, Cell, Family, Setting, States
from lstm_core.cells.parameters import Parameters
from lstm_core.cells.path import Back, Path, preactivations
from lstm_core.language import _


def step(cell: Cell, p: Parameters, blocks: Blocks, states: States) -> tuple[States, dict[str, Tensor]]:
    """
    h' = phi(W_h h + W_x x + b)

    With a window of k, [h_(t-1); ...; h_(t-k)] stands in the place of h.
    """
    return (cell.phi(p).function(blocks["h"]),), {}


def equations(setting: Setting) -> list[str]:
    return [rf"h_t &= {as_latex(setting.cell.activation)}({setting.sum()})"]


def code(cell: Cell) -> list[str]:
    return [f"h = {as_code(cell.activation, 'a_h')}"]


def back(p: Parameters, cell: Cell, path: Path) -> Back:
    """
    u diag(phi'(a_t)) W_h

    For u = [u_1 .. u_k], of the last k hidden states, it is u_1 diag(phi'(a_t)) W_h + [u_2 .. u_k 0].
    """
    slope, size = cell.phi(p).derivative(preactivations(p, path, 1)[0]), len(p.recurrent)

    def step_back(t: int, u: Tensor) -> Tensor:
        through = (u[..., :size] * slope[t - 1]) @ p.recurrent
        return through + pad(u[..., size:], (0, size)) if path.window > 1 else through

    return step_back


RNN = Family(
    "rnn",
    "RNN",
    blocks={"h": _("hidden state")},
    step=step,
    equations=equations,
    options=frozenset({"window"}),
    title="vanilla RNN",
    transforms=True,
    back=back,
    code=code,
)
