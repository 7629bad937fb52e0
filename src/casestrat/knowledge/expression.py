"""The expressions of admission criteria: what may be written, and which names an expression uses.

Allowed are names, numbers, words in quotes, comparisons, ``in [...]``, ``and``, ``or``, ``not`` and parentheses. What
is checked here is the form; ``casestrat.priority`` answers an expression with yes, no or unknown for each person.
"""

from __future__ import annotations

import ast

from casestrat.errors import KnowledgeError

_ALLOWED = (
    ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.Compare, ast.Name, ast.Load,
    ast.Constant, ast.List, ast.Tuple, ast.Gt, ast.GtE, ast.Lt, ast.LtE, ast.Eq, ast.NotEq, ast.In, ast.NotIn,
)  # fmt: skip
_FORM = "use names, numbers, quoted words, comparisons, in [...], and, or, not"


def parse_expression(text: str) -> ast.expr:
    """Return the syntax tree of a criterion's expression, once its form is checked.

    Parameters
    ----------
    text : str
        Such as ``"age >= 60 or neurodegenerative"``.

    Returns
    -------
    ast.expr
        The tree, made of the allowed parts only.

    Raises
    ------
    KnowledgeError
        If the text is no expression, or uses something else.

    Examples
    --------
    >>> type(parse_expression("age >= 60 or neurodegenerative")).__name__
    'BoolOp'
    """
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError) as error:
        raise KnowledgeError(f"{text!r} is not an expression", do=_FORM) from error
    for node in ast.walk(tree):
        if not isinstance(node, _ALLOWED):
            raise KnowledgeError(f"{text!r} uses {type(node).__name__}, which is not allowed", do=_FORM)
    return tree.body


def expression_names(text: str) -> tuple[str, ...]:
    """Return the names that an expression uses, each once, in the order written.

    Parameters
    ----------
    text : str
        As :func:`parse_expression` reads it.

    Returns
    -------
    tuple of str
        Names of columns, facts and features.

    Raises
    ------
    KnowledgeError
        If the text is no expression.

    Examples
    --------
    >>> expression_names("age >= 60 or (neurodegenerative and age >= 50)")
    ('age', 'neurodegenerative')
    """
    names = [node for node in ast.walk(parse_expression(text)) if isinstance(node, ast.Name)]
    return tuple(dict.fromkeys(node.id for node in sorted(names, key=lambda node: node.col_offset)))
