"""How far to trust a score: on people left out, by group, over time, told in one card."""
