import pandas as pd
import pytest

from casestrat.errors import OutputError, UsageError
from casestrat.synthetic import write_agency
from casestrat.synthetic.writing import shard_sizes
from casestrat.tables import read_tables


@pytest.fixture(scope="module")
def parquet(tmp_path_factory, geriatric):
    return write_agency("geriatric", 60, 1, tmp_path_factory.mktemp("parquet"), shard_people=30)


@pytest.fixture(scope="module")
def csv(tmp_path_factory, geriatric):
    return write_agency(geriatric, 60, 1, tmp_path_factory.mktemp("csv"), format="csv", shard_people=30)


def test_shards_read_back_as_one_agency_without_a_fault(parquet, geriatric):
    tables = read_tables(parquet, geriatric)
    assert len(tables.set_aside) == 0
    assert tables.persons["person_id"].str[:5].value_counts().to_dict() == {"P000-": 30, "P001-": 30}
    assert not tables.services["service_id"].duplicated().any()
    assert (parquet / "AS_OF").read_text(encoding="utf-8") == "2026-10-01\n"
    assert set(pd.read_parquet(parquet / "truth" / "truth.parquet")["person_id"]) == set(tables.persons["person_id"])


def test_both_formats_hold_the_same(parquet, csv):
    names = {path.stem for path in parquet.glob("*.parquet")}
    assert names == {path.stem for path in csv.glob("*.csv")}
    for name in names:
        one = pd.read_parquet(parquet / f"{name}.parquet")
        two = pd.read_csv(csv / f"{name}.csv", dtype=str, keep_default_na=False)
        assert len(one) == len(two), name
        assert list(one) == list(two), name
    persons = pd.read_csv(csv / "persons.csv", dtype=str, keep_default_na=False)
    assert set(persons["objects_to_scoring"]) <= {"true", "false"}
    assert persons["observed_from"].str.fullmatch(r"\d{4}-\d\d-\d\dT00:00:00").all()


def test_the_places_of_all_shards_are_those_of_one_committee(parquet):
    meetings = pd.read_parquet(parquet / "committee_meetings.parquet")
    decisions = pd.read_parquet(parquet / "decisions.parquet")
    admitted = decisions[decisions["outcome"] == "admit"].groupby("meeting_id").size()
    places = meetings.set_index("meeting_id")["places"]
    assert places.index.is_unique
    assert (admitted <= places.reindex(admitted.index)).all()


def test_a_rest_too_small_for_a_shard_joins_the_one_before():
    assert shard_sizes(415, 200) == [200, 215]
    assert shard_sizes(25, 200) == [25]
    assert sum(shard_sizes(1_000_003, 200_000)) == 1_000_003


@pytest.mark.parametrize(
    "arguments", [{"people": 5}, {"shard_people": 5}, {"format": "xlsx"}], ids=["people", "shard", "format"]
)
def test_what_cannot_be_written_is_refused(tmp_path, geriatric, arguments):
    with pytest.raises(UsageError):
        write_agency(**{"program": geriatric, "people": 100, "random_state": 0, "folder": tmp_path, **arguments})


def test_a_folder_that_is_a_file_is_told(tmp_path, geriatric):
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(OutputError, match="written whole"):
        write_agency(geriatric, 60, 0, tmp_path / "file")
