"""Plans that begin from who follows whom today: few moves, leavers, cover and handing over."""
