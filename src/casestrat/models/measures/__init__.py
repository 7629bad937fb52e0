"""Numbers about risks and what came: order, calibration, their spread by persons drawn anew."""
