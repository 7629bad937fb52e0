"""Where people's lives are at stake twice over, a learned model neither ranks nor gives tiers without a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from casestrat.errors import UsageError
from casestrat.models.cards.scorecard import PointScorecard

if TYPE_CHECKING:
    from casestrat.knowledge.program import Program


def is_learned(model: Any) -> bool:
    """Tell whether a model was learned from data, rather than published or agreed by experts.

    Parameters
    ----------
    model : PointScorecard, RiskClassifier or another model
        The model.

    Returns
    -------
    bool
        True of everything but a scorecard made from a table.
    """
    return not isinstance(model, PointScorecard) or model.card_.get("kind") == "learned"


def check_learned(model: Any, program: Program, reason: str, has_risk: bool = True) -> None:
    """Refuse ranks and tiers by a learned model where the program asks for a recorded reason and none is given.

    Parameters
    ----------
    model : PointScorecard, RiskClassifier or another model, or None
        What scored; None: it is not known, and a risk counts as learned.
    program : Program
        Whose people they are.
    reason : str
        Why a learned model may be used.
    has_risk : bool, default True
        Whether what it gave is a risk, where the model is not known.

    Raises
    ------
    UsageError
        Naming the program and what to give.
    """
    is_open = program.privacy.learned_ranking == "allowed" or bool(reason.strip())
    if is_open or not (has_risk if model is None else is_learned(model)):
        return
    raise UsageError(
        f"the program {program.id} neither ranks people nor gives them tiers by a learned model unless a reason is "
        "recorded",
        where="[privacy] learned_ranking of the program",
        do="use the program's scorecard, or give the reason with learned_ranking_reason"
        + (" (or the model, where it was not learned)" if model is None else ""),
    )
