# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # What did we know on that day?
#
# A committee meets in October. Before anybody is ranked, an analyst has two questions: *can these tables be trusted*, and
# *what was known about each person on the day the list was made*. A score that peeks at what was recorded later looks
# brilliant in a study and fails at the first meeting.
#
# The agency below is made up: its people do not exist, and its true risks are known.

# %%
import pandas as pd

import casestrat as cs
from casestrat.features import Count, DaysSince, FeatureBuilder

pd.set_option("display.max_columns", 20, "display.width", 120)
program = cs.load_program("geriatric")
tables = cs.load_example("geriatric")
as_of = "2026-10-01"

# %% [markdown]
# ## Can the tables be trusted?
#
# Every table was held against its contract when it was read. Rows that break a rule are set aside with *every* reason, and
# the rest goes on; the report never shows a value.

# %%
pd.Series({name: len(frame) for name, frame in tables.frames().items() if len(frame)}, name="rows").to_frame()

# %% [markdown]
# The example is clean, so let us spoil a copy as real extracts are spoiled: one date in the wrong format, one unknown code,
# one id twice.

# %%
spoiled = {name: frame.astype("string") for name, frame in tables.frames().items() if tables.has(name)}
spoiled["events"] = spoiled["events"].copy()
spoiled["events"].loc[0, "observed_at"] = "31/12/2025"
spoiled["events"].loc[1, "kind"] = "tumble"
spoiled["referrals"] = pd.concat([spoiled["referrals"], spoiled["referrals"].head(1)], ignore_index=True)
cs.Tables.from_frames(spoiled, program, tables.extract).set_aside[["table", "line", "column", "rule", "expected"]]

# %% [markdown]
# **What to do next**: mend the source where you can; where you cannot, the nightly job goes on without these rows and
# stops by itself if they become too many.
#
# ## Who waits, and who does not?
#
# Waiting is a matter of dates: a referral, consent that is not *no*, a complete form, no decision that stands.

# %%
status = cs.timeline.status_on(tables, program, as_of)
status["status"].value_counts().to_frame("people")

# %% [markdown]
# For anyone who is not on the list there is a reason, and it can be asked for.

# %%
parked = status.loc[status["status"] == "parked", "person_id"]
absent = parked.iloc[0] if len(parked) else status.loc[status["status"] != "waiting", "person_id"].iloc[0]
cs.explain_absence(tables, program, absent, as_of)

# %% [markdown]
# ## What was known?
#
# The question is a *spine*: a person and a date. The program's TOML lists the features; the builder gives one row a spine
# row. Only rows with `recorded_at` before the date count.

# %%
spine = cs.make_spine(tables, program, as_of=as_of, population="waiting")
builder = cs.FeatureBuilder(program)
X = builder.build(tables, spine)
X.head()

# %%
builder.describe()[["name", "meaning", "table", "window_days", "unit", "missing"]]

# %% [markdown]
# Zero, absent and not observed stay apart: a count is 0 only where the person was observed, and missing where not. Missing
# is never read as low risk.

# %%
X.isna().mean().sort_values(ascending=False).to_frame("share missing").head(8)

# %% [markdown]
# Features of your own are declared with the same words.

# %%
mine = FeatureBuilder(
    [
        Count("events", where={"kind": "fall"}, window_days=365, name="falls_365d"),
        DaysSince("events", where={"kind": "hospital_stay"}, name="days_since_stay"),
    ]
)
mine.build(tables, spine).describe().round(1)

# %% [markdown]
# ## Does anything leak?
#
# The proof is simple: add rows recorded on or after the date to every table, with any content, and nothing may change.

# %%
cs.features.future_rows_change_nothing(tables, spine, builder)

# %% [markdown]
# **What to do next**: open the second notebook and ask whether a score built on these features deserves trust.
