from casestrat.knowledge import load_program
from casestrat.synthetic import data_card


def test_the_card_says_the_standing_of_each_number(small, geriatric):
    card = data_card(small, geriatric, 200, 5)
    rows = [line for line in card.splitlines() if line.startswith("| ") and line.count("|") == 4]
    numbers = [row for row in rows if not row.startswith(("| number", "| ---"))]
    assert len(numbers) >= 14
    assert all("assum" in row or "sourced" in row or "as designed" in row for row in numbers)
    assert "GIR 1 to 6" in card
    assert small.tables.fingerprint in card


def test_the_card_counts_the_tables(small, geriatric):
    assert f"| persons | {len(small.tables.persons)} |" in data_card(small, geriatric, 200, 5)


def test_a_program_without_gir_has_no_line_about_it(small):
    card = data_card(small, load_program("substance_use"), 200, 5)
    assert "GIR" not in card
    assert "the program's norm" in card
