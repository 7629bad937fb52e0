"""Whole-number points: applied, learned, proven and exported."""
