"""From risk, points and rules to a tier, and how tiers change."""
