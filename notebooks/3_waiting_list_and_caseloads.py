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
# # Who comes next, and whom can we follow?
#
# The committee meets in a few days. It needs a list it can understand and overrule; the team needs to know whether those who
# are admitted can be followed at all.

# %%
import matplotlib.pyplot as plt
import pandas as pd

import casestrat as cs
from casestrat.priority import assess_first, criteria_status, mark_places
from casestrat.reports import figures

pd.set_option("display.max_columns", 30, "display.width", 140)
program = cs.load_program("geriatric")
tables = cs.load_example("geriatric")
as_of = "2026-10-01"
spine = cs.make_spine(tables, program, as_of=as_of, population="waiting")
X = cs.FeatureBuilder(program).build(tables, spine)
card = cs.PointScorecard.from_table("geriatric_default")
scores = pd.DataFrame(
    {
        "points": card.points(X),
        "points_share": card.points(X) / card.max_points,
        "completeness": card.completeness(X),
    }
)
tiers = cs.assign_tiers(scores, program)
tiers["tier"].value_counts().to_frame("people")

# %% [markdown]
# ## Who meets the national criteria?
#
# Three answers are possible: yes, no, and *unknown*. Unknown asks; it never refuses.

# %%
criteria = cs.check_criteria(tables, program, as_of, features=X)
criteria_status(criteria)["status"].value_counts().to_frame("people")

# %% [markdown]
# ## The list
#
# Rank is a matter of declared rules: the tier sets how fast waiting counts, risk, need and urgency add to it, and each part is
# told in *days of waiting it is worth*. A published seed orders those who tie.

# %%
policy = cs.PriorityPolicy.from_program(program, seed="2026-10")
waiting = cs.make_waiting(tables, program, X, tiers, as_of, criteria=criteria)
ranked = mark_places(cs.rank_waiting_list(waiting, policy, as_of), places=8)
ranked.head(10)[
    ["rank", "person_id", "tier", "waited_days", "days_worth_risk", "days_worth_need", "days_worth_urgency", "criteria"]
].round(0)

# %%
with figures.style():
    figure, ax = plt.subplots(figsize=(8, 4))
    figures.days_worth(ranked, ranked["person_id"].iloc[0], ax=ax)
plt.show()

# %% [markdown]
# Why is the second below the first?

# %%
cs.explain_order(ranked, ranked["person_id"].iloc[0], ranked["person_id"].iloc[1])

# %% [markdown]
# Whoever has too incomplete a file is not at the bottom of the list: they are to be assessed first.

# %%
assess_first(waiting, policy)[["person_id", "completeness", "waited_days"]].round(2)

# %% [markdown]
# ## The meeting
#
# The list is frozen, and people decide. A decision without a person, or a refusal without a reason and a relay, is not taken.

# %%
meeting = cs.open_meeting(ranked, places=8, held_on="2026-10-05", program=program)
result = meeting.record(
    pd.DataFrame(
        {
            "referral_id": ranked["referral_id"].head(3),
            "outcome": ["admit", "admit", "refuse"],
            "reason": ["criteria_met", "criteria_met", "followed_elsewhere"],
            "note": "discussed in the room",
            "decided_by": "committee",
        }
    )
)
result.refused

# %% [markdown]
# ## Whom can we follow?
#
# The same list goes to the allocation. Existing case managers stay; every hard rule (language, territory, licence, hours) holds;
# who cannot be followed is named with the smallest change that would help.

# %%
problem = cs.AllocationProblem.from_tables(tables, program, ranked, as_of)
plan = cs.allocate(problem, time_limit_s=10, random_state=0)
plan.levels

# %%
plan.unassigned[["person_id", "rule", "reason", "relaxation"]]

# %%
with figures.style():
    figure, ax = plt.subplots(figsize=(8, 4))
    figures.workload(plan.workload, ax=ax)
plt.show()

# %% [markdown]
# **What to do next**: bring the page to the meeting (`casestrat nightly` writes it), record what was decided, and look at
# what would help those who cannot be followed: often one language or one licence more.
