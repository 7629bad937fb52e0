"""How sure a risk is, what is missing, and what other answers would change."""
