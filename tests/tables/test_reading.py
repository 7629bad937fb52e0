from __future__ import annotations

import pandas as pd
import pytest
import sqlalchemy as sql

from casestrat.errors import OutputError, TablesError, UsageError
from casestrat.tables import Extract, read_tables, write_tables
from casestrat.tables.files import read_csv, read_parquet
from casestrat.tables.reading import read_extract_of


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_what_is_written_reads_back_the_same(frames, check, geriatric, tmp_path, form):
    frames["events"]["detail"] = ['a "quoted", cell', "two\nlines", "a\rreturn", ""]
    frames["events"].loc[0, "observed_at"] = "2025-05-01T08:09:10.25"
    frames["events"]["ward"] = ["1", "", "x", "é"]
    tables = check(frames, geriatric)
    again = read_tables(write_tables(tables, tmp_path / "out", form), geriatric)
    assert again.fingerprint == tables.fingerprint
    assert again.present == tables.present
    assert again.set_aside.empty
    for name, frame in tables.frames().items():
        pd.testing.assert_frame_equal(getattr(again, name), frame)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_the_same_tables_are_written_byte_for_byte_the_same(few, check, tmp_path, form):
    for name in ("a", "b"):
        write_tables(check(few), tmp_path / name, form)
    first, second = sorted((tmp_path / "a").iterdir()), sorted((tmp_path / "b").iterdir())
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert [path.name for path in first] == ["events." + form, "extract.toml", "persons." + form, "referrals." + form]


def test_tables_of_people_without_rows_stay_tables(few, check, tmp_path):
    few["events"] = few["events"].iloc[:0]
    tables = check(few)
    again = read_tables(write_tables(tables, tmp_path))
    assert again.has("events")
    assert again.fingerprint == tables.fingerprint


def test_a_format_nobody_knows_and_a_folder_that_is_a_file_are_refused(few, check, tmp_path):
    with pytest.raises(UsageError, match="csv or parquet"):
        write_tables(check(few), tmp_path, "xlsx")
    (tmp_path / "taken").write_text("")
    with pytest.raises(OutputError, match="cannot be written whole"):
        write_tables(check(few), tmp_path / "taken")


def written(few, folder, **files):
    """Write three tables by hand, one of them as given."""
    folder.mkdir(exist_ok=True)
    for name, frame in few.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    for name, text in files.items():
        (folder / f"{name}.csv").write_bytes(text)
    (folder / "extract.toml").write_text("data_start = 2020-01-01\ndata_end = 2025-12-31\n")
    return folder


def test_rows_name_the_line_of_the_file_even_after_a_cell_of_two_lines(few, tmp_path, reasons):
    text = (
        b"event_id,person_id,kind,observed_at,recorded_at,detail\n"
        b'V1,P1,fall,2025-05-01,2025-05-02,"two\nlines"\n\n'
        b"V2,P9,fall,2025-05-01,2025-05-02,\n"
    )
    tables = read_tables(written(few, tmp_path / "in", events=text))
    assert reasons(tables) == [("events", 5, "person_id", "unresolved")]
    assert tables.set_aside["source"].tolist() == ["events.csv"]


def test_lines_with_too_many_or_too_few_fields_are_left_out_and_said_so(few, tmp_path):
    text = (
        b"event_id,person_id,kind,observed_at,recorded_at\n"
        b"V1,P1,fall\n"
        b"V2,P1,fall,2025-05-01,2025-05-02\n"
        b"V3,P1,fall,2025-05-01,2025-05-02,more\n"
    )
    tables = read_tables(written(few, tmp_path / "in", events=text))
    assert tables.events["event_id"].tolist() == ["V2"]
    assert tables.set_aside[["line", "rule", "expected"]].values.tolist() == [
        [2, "field_count", "5 fields, as the header has"],
        [4, "field_count", "5 fields, as the header has"],
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "no header line"),
        (b"event_id,person_id,person_id\n", "empty or repeated at the positions 2, 3"),
        ("event_id,détail\nV1,é\n".encode("latin-1"), "not in the encoding utf-8"),
        (b'"' + b"x" * 200_000, "cannot be read as CSV"),
        (b'event_id,detail\n\nV1,"' + b"x" * 200_000, "cannot be read as CSV"),
    ],
)
def test_a_file_that_is_no_table_stops_the_run(few, tmp_path, text, words):
    with pytest.raises(TablesError, match=words):
        read_tables(written(few, tmp_path / "in", events=text))


def test_cells_are_read_as_text_and_nothing_is_guessed(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("id,n,empty\n007,1e3,\nNA,null,NaN\n", encoding="utf-8-sig")
    rows = read_csv(path)
    assert rows.frame.values.tolist() == [["007", "1e3", ""], ["NA", "null", "NaN"]]
    assert rows.line.tolist() == [2, 3]


def test_windows_line_ends_and_old_ones_are_read(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"id,n\r\n1,2\r\n3,4\r\n")
    assert read_csv(path).line.tolist() == [2, 3]
    path.write_bytes(b"id,n\r1,2\r3,4\r")
    assert read_csv(path).frame["n"].tolist() == ["2", "4"]


def test_a_parquet_file_of_other_types_is_read(tmp_path, few, check):
    events = few["events"].assign(
        kind=few["events"]["kind"].astype("category"),
        amount=[1.5, None, 2.0, None],
        observed_at=pd.to_datetime(few["events"]["observed_at"], format="ISO8601").dt.date,
        is_planned=pd.array([None, False, None, True], dtype="boolean"),
    )
    for name, frame in {**few, "events": events}.items():
        frame.to_parquet(tmp_path / f"{name}.parquet")
    tables = read_tables(tmp_path)
    assert tables.set_aside.empty
    assert tables.events["amount"].tolist()[::2] == [1.5, 2.0]
    assert tables.events["is_planned"].tolist() == [pd.NA, False, pd.NA, True]
    (tmp_path / "events.parquet").write_bytes(b"not parquet")
    with pytest.raises(TablesError, match="cannot be read as Parquet"):
        read_parquet(tmp_path / "events.parquet")


def test_a_source_that_is_not_there_or_holds_no_table_says_what_to_give(tmp_path, few):
    with pytest.raises(UsageError, match="does not exist"):
        read_tables(tmp_path / "nowhere")
    with pytest.raises(TablesError, match=r"holds no table.*add persons.csv"):
        read_tables(tmp_path)
    (tmp_path / "site.toml").write_text("")
    with pytest.raises(TablesError, match=r"give .*site.toml"):
        read_tables(tmp_path)
    written(few, tmp_path)
    few["events"].to_parquet(tmp_path / "events.parquet")
    with pytest.raises(TablesError, match="events is there twice"):
        read_tables(tmp_path)


def test_a_folder_without_extract_toml_is_read_with_a_warning(few, tmp_path):
    (written(few, tmp_path) / "extract.toml").unlink()
    assert read_tables(tmp_path).warnings["rule"].tolist() == ["no_data_start"]


@pytest.fixture
def database(few, tmp_path):
    """A database with two tables, a view, and an extract."""
    path = tmp_path / "agency.db"
    engine = sql.create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        few["persons"].to_sql("persons", connection, index=False)
        few["referrals"].to_sql("referrals", connection, index=False)
        few["events"].to_sql("raw_events", connection, index=False)
        connection.execute(sql.text("CREATE VIEW events AS SELECT * FROM raw_events WHERE kind = 'fall'"))
        pd.DataFrame({"data_start": ["2020-01-01"], "data_end": ["2025-12-31"]}).to_sql(
            "extract", connection, index=False
        )
    engine.dispose()
    return path


def test_a_database_gives_the_same_tables_as_a_folder(few, database, tmp_path, check):
    few["events"] = few["events"].loc[few["events"]["kind"] == "fall"]
    tables = read_tables(f"sqlite:///{database}")
    assert tables.present == {"persons", "referrals", "events"}
    assert tables.fingerprint == check(few).fingerprint


def test_what_a_source_says_of_itself_is_read_alone(few, database, tmp_path):
    for source in (f"sqlite:///{database}", written(few, tmp_path / "folder")):
        told = read_extract_of(source)
        assert told == read_tables(source).extract
        assert told.data_end == pd.Timestamp("2025-12-31")
    (tmp_path / "bare").mkdir()
    assert read_extract_of(tmp_path / "bare") == Extract()  # whether there are tables is asked later
    for none in (tmp_path / "nowhere", tmp_path / "folder" / "persons.csv"):
        with pytest.raises(UsageError, match=r"does not exist|neither a folder"):
            read_extract_of(none)


def test_a_database_that_is_not_there_is_not_made(tmp_path):
    with pytest.raises(TablesError, match="database file is not there"):
        read_tables(f"sqlite:///{tmp_path}/none.db")
    assert not (tmp_path / "none.db").exists()


def test_a_database_that_cannot_be_read_is_told_without_its_password():
    with pytest.raises(TablesError, match="the database cannot be read") as caught:
        read_tables("postgresql+nodriver://me:secret@localhost/agency")
    assert "secret" not in str(caught.value)
    with pytest.raises(TablesError, match="the database cannot be read"):
        read_tables("://")


def test_an_extract_table_has_one_row(database):
    engine = sql.create_engine(f"sqlite:///{database}")
    with engine.begin() as connection:
        connection.execute(sql.text("INSERT INTO extract SELECT * FROM extract"))
    engine.dispose()
    with pytest.raises(TablesError, match="extract must have one row"):
        read_tables(f"sqlite:///{database}")
