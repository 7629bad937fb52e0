"""Who could be taken in now, what stands in the way, and what a hire would change."""
