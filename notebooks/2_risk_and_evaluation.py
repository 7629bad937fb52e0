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
# # Can we trust this score?
#
# Three scores stand ready: an **expert card** that works from the first day and has seen no data, and, learned from the
# agency's own past, a **logistic model** and a **card of whole points**. Which of them, if any, should a committee see?

# %%
import warnings

import matplotlib.pyplot as plt
import pandas as pd

import casestrat as cs

warnings.simplefilter("ignore", cs.models.NoSignalWarning)
program = cs.load_program("geriatric")
agency = cs.synthesize(program, people=6_000, random_state=7)
tables = agency.tables
dates = pd.date_range("2025-07-01", "2026-04-01", freq="QS").strftime("%Y-%m-%d").tolist()

# %% [markdown]
# ## The expert card
#
# Every point can be read, argued with and changed: it is one TOML.

# %%
card = cs.PointScorecard.from_table("geriatric_default")
card.table_

# %% [markdown]
# ## What then happened?
#
# Labels look forward from each date: an unplanned hospital stay within 90 days, missing where follow-up is too short.

# %%
spine = cs.make_spine(tables, program, as_of=dates, population="all")
labels = cs.build_labels(tables, spine, program.outcomes["unplanned_stay"]).dropna(subset="label")
X = cs.FeatureBuilder(program).build(tables, spine).loc[labels.index]
y = labels["label"].astype(int)
f"{len(y):,} people and dates, {y.mean():.1%} with the outcome"

# %% [markdown]
# ## Learn on the past, judge on what came later
#
# The split is by time, with a gap as long as the label takes to mature: exactly the situation of a model that is put to use.

# %%
split = cs.models.TemporalSplit(n_splits=1, gap_days=program.outcomes["unplanned_stay"].horizon_days)
train, test = next(split.split(X, y))
model = cs.RiskClassifier(random_state=0).fit(X.iloc[train], y.iloc[train])
risk = model.predict_proba(X.iloc[test])[:, 1]
learned = cs.evaluate(y.iloc[test], risk, capacity=40)
expert = cs.evaluate(y.iloc[test], card.points(X.iloc[test]) / card.max_points, capacity=40)
pd.concat(
    {"learned": learned.summary.set_index("metric"), "expert card": expert.summary.set_index("metric")}, axis=1
).loc[["auc", "average_precision"]]

# %% [markdown]
# ## A card learned from the same past
#
# How many rows should it have? Each size was judged on people left out, so the committee can choose: often a short card
# loses next to nothing.

# %%
own = cs.PointScorecard(max_rows=8, max_row_points=5, random_state=0).fit(X.iloc[train], y.iloc[train])
own.choices_

# %%
short = own.at(4)
judged = cs.evaluate(y.iloc[test], short.predict_proba(X.iloc[test])[:, 1], capacity=40)
short.table_[["item", "condition", "points"]]

# %%
judged.summary.set_index("metric").loc[["auc", "average_precision", "calibration_slope"]]

# %% [markdown]
# Order is half of it. The learned model also claims *probabilities*, and the claim is checked: of those told 20 %, did about
# 20 % have the outcome?

# %%
from casestrat.reports import figures

with figures.style():
    figure, ax = plt.subplots(figsize=(5, 5))
    figures.calibration(learned, ax=ax)
plt.show()

# %% [markdown]
# The card gives points, not a percentage, until a site has validated it: so its calibration is not a question yet.
#
# ## At the places that there are
#
# A committee has forty places, not a threshold. Ties at the cut are told: best, worst and expected.

# %%
learned.capacity

# %% [markdown]
# ## Because this agency is made up, we can look behind the curtain
#
# How near does each come to the *true* risk, which nobody has in real life?

# %%
truth = agency.truth.set_index("person_id")
truth.head(3)

# %% [markdown]
# ## Why does the card say so?
#
# The parts of a score sum exactly to it, so they can be shown to the committee and to the person.

# %%
one = X.index[card.points(X).to_numpy().argmax()]
why = card.explain(X.loc[[one]])
assert why["contribution"].sum() == card.points(X.loc[[one]]).iloc[0]
why[["reason", "domain", "is_actionable", "contribution"]]

# %% [markdown]
# **What to do next**: with few events keep the expert card, and say so; with many, show the committee both cards, on the same
# people, before a learned one ranks anybody. A model is put to use by an act of a person, never by itself at night.
