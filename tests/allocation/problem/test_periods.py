import pandas as pd

from casestrat.allocation.problem.periods import covers_every_day


def test_periods_that_overlap_or_touch_cover_together():
    day = pd.Timestamp
    first, last = day("2026-01-01"), day("2026-03-31")
    assert covers_every_day([(pd.NaT, day("2026-02-01")), (day("2026-01-15"), pd.NaT)], first, last)
    assert not covers_every_day([(pd.NaT, day("2026-02-01")), (day("2026-02-03"), pd.NaT)], first, last)
    assert covers_every_day([(first, last)], None, None)
    assert not covers_every_day([], None, None)


def test_of_several_that_never_end_one_is_enough():
    day = pd.Timestamp
    open_ended = [(day("2020-01-01"), pd.NaT), (pd.NaT, pd.NaT), (day("2026-11-01"), pd.NaT)]
    assert covers_every_day(open_ended, day("2026-10-01"), day("2026-12-29"))
    assert not covers_every_day(open_ended[2:] * 2, day("2026-10-01"), day("2026-12-29"))
