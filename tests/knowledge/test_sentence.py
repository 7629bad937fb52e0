"""A sentence is made once and said in any language."""

from __future__ import annotations

import pickle

import pytest

from casestrat.errors import KnowledgeError
from casestrat.knowledge import Sentence, load_wording, say_each

WHY = Sentence.of(
    "allocation.why",
    able=Sentence.of("allocation.able", n=3),
    fit=(Sentence.of("allocation.missed_language"), Sentence.of("allocation.missed_wishes")),
    share=95,
)


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("en", "one of 3 allowed; does not speak the language, misses a wish; 95 % of minutes in use after"),
        (
            "fr",
            "un des 3 possibles\u202f; ne parle pas la langue, un souhait n’est pas satisfait\u202f; "
            "95\u202f% des minutes occupées ensuite",
        ),
        (
            "it",
            "uno dei 3 possibili; non parla la lingua, una preferenza non è soddisfatta; 95% dei minuti occupati dopo",
        ),
    ],
)
def test_a_sentence_with_sentences_in_it_is_said_in_one_language(lang: str, said: str) -> None:
    assert WHY.said(load_wording(lang)) == said


@pytest.mark.parametrize(
    ("n", "said"), [(1, "1 more minute a week with CM3"), (1200, "1,200 more minutes a week with CM3")]
)
def test_a_number_chooses_singular_or_plural_and_is_written_as_the_language_does(n: int, said: str) -> None:
    assert Sentence.of("allocation.relaxation_minutes", n=n, cm="CM3").said(load_wording("en")) == said


def test_equal_sentences_are_one_and_travel_to_workers() -> None:
    again = Sentence.of("allocation.able", n=3)
    assert {again, Sentence.of("allocation.able", n=3)} == {again}
    assert pickle.loads(pickle.dumps(WHY)) == WHY


def test_each_thing_keeps_its_own_sentence() -> None:
    kept, room = Sentence.of("allocation.why_kept"), Sentence.of("allocation.relaxation_one_case", cm="CM1")
    said = say_each({"C1": kept, "C2": room, "C3": kept}, load_wording("it"))
    assert said == {"C1": "mantiene il case manager attuale", "C2": "un caso in più per CM1", "C3": said["C1"]}


def test_a_sentence_without_words_or_without_its_number_is_refused() -> None:
    with pytest.raises(KnowledgeError, match=r"own\.nothing"):
        Sentence.of("own.nothing", n=1).said(load_wording("en"))
    with pytest.raises(KnowledgeError, match=r"own\.nothing"):
        Sentence.of("own.nothing").said(load_wording("en"))
