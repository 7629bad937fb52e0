"""Model files: the same model comes back, and nothing that does not fit."""

import dataclasses
import io
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression

from casestrat.errors import OutputError, StoreError, UsageError
from casestrat.knowledge import load_program
from casestrat.models import (
    BootstrapEnsemble,
    ChallengerClassifier,
    HorizonRisk,
    PointScorecard,
    RiskClassifier,
    evaluate,
    load_model,
    save_model,
)


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
    with pytest.raises(StoreError, match=r"kind RiskClassifier; found LogisticRegression"):
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


@pytest.fixture(scope="module")
def outcome(features):
    return (features["falls"] + np.tile([0, 0.5], 40) > 1).astype(int)


def learned(kind, features, outcome):
    plain = {
        "curves": RiskClassifier(splines=["falls"], class_weight={0: 1.0, 1: 2.0}),
        "challenger": ChallengerClassifier(directions={"falls": "higher"}, max_trees=10, n_folds=2, min_rows=5),
        "pairs": ChallengerClassifier(interactions=True, max_trees=10, n_folds=2, min_rows=5),
        "ensemble": BootstrapEnsemble(ChallengerClassifier(max_trees=5, n_folds=2, min_rows=5), n_draws=2),
        "card": PointScorecard(max_rows=3),
    }
    if kind in plain:
        return plain[kind].fit(features, outcome)
    other = LogisticRegression() if kind == "hazard of another" else None
    days = np.tile(np.arange(1, 41), 2)
    return HorizonRisk((20,), estimator=other).fit(features[["falls"]], days, event=outcome)


@pytest.mark.filterwarnings("ignore::casestrat.models.SmallSampleWarning")
@pytest.mark.parametrize("kind", ["curves", "challenger", "pairs", "ensemble", "card", "hazard", "hazard of another"])
def test_every_kind_of_model_comes_back_the_same(kind, features, outcome, tmp_path):
    model = learned(kind, features, outcome)
    again = load_model(save_model(model, tmp_path / "m"))
    X = features[["falls"]] if kind.startswith("hazard") else features
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    assert again.fingerprint == model.fingerprint
    assert again.schema_ == model.schema_
    assert again.stored_["kind"] == type(model).__name__
    assert load_model(save_model(again, tmp_path / "n")).fingerprint == model.fingerprint
    if kind in {"curves", "ensemble", "card", "hazard"}:
        np.testing.assert_array_equal(again.risk_draws(X, 5), model.risk_draws(X, 5))


def test_an_estimator_of_a_type_that_no_file_may_hold_is_refused_when_saving(features, outcome, tmp_path):
    model = RiskClassifier(class_weight={0: 1.0, 1: 2.0}).fit(features, outcome)
    model.note = Stranger()
    with pytest.raises(StoreError, match=r"no model file may hold.*Stranger"):
        save_model(model, tmp_path / "m")
    assert not list(tmp_path.iterdir())


class Evil:
    """What runs a command where it is unpickled."""

    def __reduce__(self):
        return (Path.touch, (Path("touched"),))


@pytest.mark.parametrize("part", ["model.json", "estimator.skops"])
def test_a_pickle_in_the_place_of_a_part_is_never_run(part, model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = altered(save_model(model, tmp_path / "m"), part, pickle.dumps(Evil()))
    with pytest.raises(StoreError):
        load_model(path)
    path.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(StoreError, match="damaged or no model"):
        load_model(path)
    assert not (tmp_path / "touched").exists()


def test_a_schema_that_asks_for_a_command_is_refused(model, tmp_path):
    path = save_model(model, tmp_path / "m")
    with zipfile.ZipFile(path) as archive:
        estimator = archive.read("estimator.skops")
    with zipfile.ZipFile(io.BytesIO(estimator)) as inner:
        parts = {name: inner.read(name) for name in inner.namelist()}
    schema = json.loads(parts["schema.json"])
    schema["__class__"], schema["__module__"] = "system", "os"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as inner:
        for name, value in {**parts, "schema.json": json.dumps(schema)}.items():
            inner.writestr(name, value)
    with pytest.raises(StoreError, match=r"not trusted: os\.system"):
        load_model(altered(path, "estimator.skops", buffer.getvalue()))


@pytest.mark.parametrize(("name", "words"), [("skops", "package skops is not installed"), ("casestrat.gone", "lacks")])
def test_what_is_not_installed_is_told_apart_from_damage(name, words, model, tmp_path, monkeypatch):
    path = save_model(model, tmp_path / "m")

    def absent(*_, **__):
        raise ModuleNotFoundError(f"No module named '{name}'", name=name)

    monkeypatch.setattr(skops.io, "get_untrusted_types", absent)
    with pytest.raises(StoreError, match=words):
        load_model(path)
