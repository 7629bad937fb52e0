import numpy as np

from casestrat.allocation import AllocationProblem
from casestrat.allocation.solver.draft import Draft, hard_limit


def test_putting_and_taking_keeps_the_books(three, instance_of):
    cases, managers = three
    instance = instance_of(AllocationProblem(cases, managers.assign(max_cases=[2, 1])))
    draft = Draft(instance, np.full(3, -1), hard_limit(instance))
    for case, manager in [(0, 0), (1, 1), (0, 1), (2, 0), (1, -1), (0, 0)]:
        draft.put(case, manager)
        assert draft.load.tolist() == instance.loads(draft.plan).tolist()
        assert draft.places.tolist() == (instance.slots - instance.counts(draft.plan)).tolist()


def test_takers_have_the_right_the_minutes_and_the_place(three, instance_of):
    cases, managers = three
    instance = instance_of(AllocationProblem(cases, managers.assign(max_cases=[1, 9])))
    draft = Draft(instance, np.full(3, -1), hard_limit(instance))
    everyone = draft.takers(0).tolist()
    full = int(np.flatnonzero(instance.slots == 1)[0])
    draft.put(0, full)
    assert everyone == [0, 1]
    assert draft.takers(1).tolist() == [1 - full]


def test_the_least_loaded_is_so_by_share(three, instance_of):
    instance = instance_of(AllocationProblem(*three))
    draft = Draft(instance, np.full(3, -1), hard_limit(instance))
    roomiest = int(np.argmax(instance.capacity))
    assert draft.least_loaded(0, np.array([0, 1])) == roomiest


def test_work_that_is_already_there_may_exceed_the_capacity(three, instance_of):
    cases, managers = three
    instance = instance_of(AllocationProblem(cases, managers.assign(minutes_committed=[150, 0])))
    assert sorted(hard_limit(instance).tolist()) == [80, 150]
