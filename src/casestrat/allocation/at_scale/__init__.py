"""Plans for regions: fractions rounded to counts, then traded between case managers."""
