"""Model files: the same model comes back, and nothing that does not fit."""

import dataclasses
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression

from casestrat.errors import OutputError, StoreError, UsageError
from casestrat.knowledge import load_program
from casestrat.models import PointScorecard, RiskClassifier, evaluate, load_model, save_model


class Builder:
    """What the store asks of a feature builder."""

    def __init__(self, names, fingerprint="builder-1"):
        self.names, self.fingerprint = names, fingerprint

    def definitions(self):
        return [{"name": name, "kind": "count"} for name in self.names]


@pytest.fixture(scope="module")
def features():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {"falls": rng.poisson(1, 80).astype(float), "setting": rng.choice(["home", "hospital"], 80), "empty": np.nan}
    )


@pytest.fixture(scope="module")
def model(features):
    return RiskClassifier().fit(features, (features["falls"] + np.tile([0, 0.5], 40) > 1).astype(int))


@pytest.fixture
def card():
    return PointScorecard.from_table("geriatric_default")


@pytest.fixture(scope="module")
def program():
    return load_program("geriatric")


class Audit:
    """What the store asks of an audit for leakage."""

    def content(self):
        return {"verdict": "clean", "auc": None, "findings": []}


def test_what_was_measured_and_audited_is_kept_with_the_model(model, features, tmp_path):
    y = (features["falls"] > 1).astype(int)
    evaluation = evaluate(y, model.predict_proba(features)[:, 1], n_boot=0)
    again = load_model(save_model(model, tmp_path / "m", evaluation=evaluation, audit=Audit()))
    assert again.stored_["audit"] == Audit().content()
    kept = {row["metric"]: row for row in again.stored_["evaluation"]["summary"]}
    assert kept["auc"]["value"] == pytest.approx(evaluation.value("auc"), abs=1e-6)
    assert kept["auc"]["low"] is None
    assert again.stored_["evaluation"]["n_used"] == 80
    assert again.fingerprint == model.fingerprint
    bare = load_model(save_model(model, tmp_path / "bare"))
    assert bare.stored_["audit"] is None
    assert bare.stored_["evaluation"] is None


def test_a_fitted_model_comes_back_the_same(model, features, tmp_path, program):
    path = save_model(model, tmp_path / "model.casestrat", builder=Builder(list(features)), program=program)
    again = load_model(path, expect=[features, Builder(list(features)), program])
    np.testing.assert_array_equal(again.predict_proba(features), model.predict_proba(features))
    assert again.fingerprint == model.fingerprint
    assert again.explain(features).equals(model.explain(features))
    assert again.stored_["definitions"] == Builder(list(features)).definitions()
    assert again.stored_["program"] == {"id": "geriatric", "version": program.version}
    assert again.stored_["fingerprints"]["program"] == program.fingerprint
    assert again.stored_["kind"] == "RiskClassifier"


def test_a_loaded_model_can_be_saved_again(model, tmp_path):
    again = load_model(save_model(model, tmp_path / "a"))
    assert load_model(save_model(again, tmp_path / "b")).fingerprint == model.fingerprint
    assert hasattr(again, "stored_")


def test_a_scorecard_is_plain_json(card, tmp_path):
    path = save_model(card, tmp_path / "card.json")
    told = json.loads(path.read_text(encoding="utf-8"))
    assert told["scorecard"]["card"]["id"] == "geriatric_default"
    again = load_model(path, expect=pd.DataFrame(columns=[*card.feature_names_in_, "more"]))
    assert again.to_json() == card.to_json()
    assert again.stored_["definitions"] is None


def test_saving_twice_gives_the_same_scorecard_bytes(card, tmp_path):
    first, second = save_model(card, tmp_path / "a").read_bytes(), save_model(card, tmp_path / "b").read_bytes()
    assert first == second
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]  # nothing partial is left


def test_a_builder_that_gives_other_features_is_refused(model, card, features, tmp_path):
    with pytest.raises(StoreError, match="lacks setting"):
        save_model(model, tmp_path / "m", builder=Builder(["falls", "empty"]))
    with pytest.raises(StoreError, match="another order"):
        save_model(model, tmp_path / "m", builder=Builder(list(features)[::-1]))
    with pytest.raises(StoreError, match="lacks"):
        save_model(card, tmp_path / "m", builder=Builder(["age"]))
    save_model(card, tmp_path / "m", builder=Builder([*card.feature_names_in_, "more"]))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda features: features.drop(columns="falls"), "lacks features of the model: falls"),
        (lambda features: features[list(features)[::-1]], "another order"),
        (lambda features: features.assign(falls="many"), "'falls' is text"),
        (lambda features: features.assign(setting=1.0), "'setting' is numeric"),
    ],
)
def test_a_frame_that_does_not_fit_is_refused(model, features, tmp_path, change, words):
    path = save_model(model, tmp_path / "m")
    with pytest.raises(StoreError, match=words):
        load_model(path, expect=change(features))
    load_model(
        path, expect=features.assign(falls=None, empty="now there")
    )  # all missing, or never seen: no contradiction


def test_another_builder_or_program_is_refused(model, features, tmp_path, program):
    path = save_model(model, tmp_path / "m", builder=Builder(list(features)))
    with pytest.raises(StoreError, match="builder and was saved with another"):
        load_model(path, expect=Builder(list(features), "builder-2"))
    with pytest.raises(StoreError, match="program and was saved without one"):
        load_model(path, expect=program)
    path = save_model(model, tmp_path / "m", program=dataclasses.replace(program, version="9"))
    with pytest.raises(StoreError, match="program and was saved with another"):
        load_model(path, expect=program)
    with pytest.raises(UsageError, match="found int"):
        load_model(path, expect=3)


def altered(path: Path, name: str, content: bytes) -> Path:
    """The archive with one part replaced."""
    with zipfile.ZipFile(path) as archive:
        parts = {part: archive.read(part) for part in archive.namelist()} | {name: content}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for part, value in parts.items():
            archive.writestr(part, value)
    path.write_bytes(buffer.getvalue())
    return path


class Stranger:
    """A type no model file may hold."""


def test_types_that_are_not_trusted_are_refused_before_they_are_made(model, tmp_path):
    path = altered(save_model(model, tmp_path / "m"), "estimator.skops", skops.io.dumps(Stranger()))
    with pytest.raises(StoreError, match=r"not trusted.*Stranger"):
        load_model(path)


def test_another_estimator_in_the_place_of_the_model_is_refused(model, tmp_path):
    path = altered(save_model(model, tmp_path / "m"), "estimator.skops", skops.io.dumps(LogisticRegression()))
    with pytest.raises(StoreError, match="found LogisticRegression"):
        load_model(path)


def test_an_altered_model_is_refused(model, card, features, tmp_path):
    other = RiskClassifier(C=0.01).fit(features, (features["falls"] > 1).astype(int))
    path = altered(save_model(model, tmp_path / "m"), "estimator.skops", skops.io.dumps(other))
    with pytest.raises(StoreError, match="fingerprints differ"):
        load_model(path)
    path = save_model(card, tmp_path / "card.json")
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"points": 2', '"points": 20', 1), encoding="utf-8")
    with pytest.raises(StoreError, match="fingerprints differ"):
        load_model(path)


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04 cut off", b"\x80\x04pickle", b"{}", b"[]", b'{"format": "casestrat-model/9"}']
)
def test_what_is_no_model_is_refused(content, tmp_path):
    path = tmp_path / "m"
    path.write_bytes(content)
    with pytest.raises(StoreError, match="m"):
        load_model(path)


def test_a_file_that_is_not_there_and_a_folder_that_cannot_be_written_are_told(model, tmp_path):
    with pytest.raises(StoreError, match="cannot be read"):
        load_model(tmp_path / "nothing")
    with pytest.raises(OutputError, match="could not be written"):
        save_model(model, tmp_path / "no_folder" / "m")


def test_a_model_that_is_not_ready_or_of_another_kind_is_refused(tmp_path):
    with pytest.raises(UsageError, match="found LogisticRegression"):
        save_model(LogisticRegression(), tmp_path / "m")
    with pytest.raises(UsageError, match="from_table"):
        save_model(PointScorecard(), tmp_path / "m")
    assert not list(tmp_path.iterdir())


def test_a_failed_write_leaves_the_old_model_whole(model, card, tmp_path, monkeypatch):
    path = save_model(card, tmp_path / "m")
    before = path.read_bytes()

    def full(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OutputError, match="No space left"):
        save_model(model, path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["m"]
