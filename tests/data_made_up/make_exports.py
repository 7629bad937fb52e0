"""Writes two made-up record-system exports; nobody in them exists. Run it again and the same bytes come out.

`orientia/` is the system that receives referrals (latin-1, one line a referral form, the AGGIR grid in eight columns);
`medisoc/` is the system of a home-care network (UTF-8, one line an event). Some people are in
both, spelled differently.
"""

from __future__ import annotations

import csv
import random
import unicodedata
from datetime import date, timedelta
from pathlib import Path

HERE = Path(__file__).parent
SEED = 20260131
LAST = [
    "Dupré",
    "Lefèvre",
    "Moreau",
    "Géroult",
    "D'Arcy",
    "Nguyên",
    "Bélanger",
    "Château",
    "Roussel",
    "Faure",
    "Mercier",
    "Béranger",
    "Lacroix",
    "Pichon",
]
FIRST_F = ["Éléonore", "Andrée", "Simone", "Thérèse", "Odette", "Hélène", "Josette", "Marie-Louise", "Yvonne", "Renée"]
FIRST_M = ["René", "André", "Jean-Pierre", "Maurice", "Émile", "Gérard", "Noël", "Fernand", "Lucien", "Aimé"]
SECTORS = ["Nord", "Sud", "Littoral"]
SENDERS = ["Hôpital", "Médecin traitant", "IDEL", "Assistante sociale", "SSIAD", "Famille", "CLIC"]
ITEMS = ["Cohérence", "Orientation", "Toilette", "Habillage", "Alimentation", "Élimination", "Transferts",
         "Déplacement intérieur"]  # fmt: skip
ANSWERS = {"Oui": 6, "Non": 3, "": 1}


def french(day: date | None) -> str:
    return f"{day:%d/%m/%Y}" if day else ""


def plain(name: str) -> str:
    folded = unicodedata.normalize("NFKD", name)
    return "".join(letter for letter in folded if not unicodedata.combining(letter))


def people(draw: random.Random) -> list[dict[str, object]]:
    """Forty people; the last names are few, so that some share one."""
    found = []
    for number in range(40):
        is_woman = draw.random() < 0.65
        found.append(
            {
                "last": draw.choice(LAST),
                "first": draw.choice(FIRST_F if is_woman else FIRST_M),
                "born": date(draw.randint(1928, 1952), draw.randint(1, 12), draw.randint(1, 28)),
                "sex": "F" if is_woman else "M",
                "sector": draw.choice(SECTORS),
                "number": number,
            }
        )
    # Two that are probably one: the second form has a shorter first name.
    found[38] = {**found[4], "first": str(found[4]["first"])[:4], "number": 38}
    return found


def answer(draw: random.Random, yes: float = 0.6) -> str:
    return draw.choices(["Oui", "Non", ""], [yes, 0.9 - yes, 0.1])[0]


def referral(draw: random.Random, person: dict[str, object], number: int) -> dict[str, str]:
    """One line of the export of referrals."""
    referred = date(2025, 9, 1) + timedelta(days=draw.randint(0, 140))
    typed = referred + timedelta(days=draw.choice([0, 0, 1, 2, 5]))
    sender = draw.choice(SENDERS)
    has_grid = draw.random() < 0.85
    level = draw.choice(["A", "B", "C"])
    row = {
        "N° fiche": f"2025/{number:04d}",
        "N° usager": f"U{person['number']:03d}",
        "Nom": str(person["last"]).upper() if draw.random() < 0.5 else str(person["last"]),
        "Prénom": str(person["first"]),
        "Date de naissance": french(person["born"]),  # type: ignore[arg-type]
        "Téléphone": f"01 99 00 {draw.randint(10, 99)} {draw.randint(10, 99)}",
        "Sexe": str(person["sex"]),
        "Secteur": str(person["sector"]),
        "Date d'orientation": french(referred),
        "Date de saisie": french(typed),
        "Orienteur": sender,
        "Professionnel": "Non" if sender == "Famille" else "Oui",
        "Accord": draw.choices(["Oui", "Non", "Représentant", ""], [30, 1, 5, 4])[0],
        "Urgence": draw.choice(["0", "1", "2", "3", ""]),
        "Motifs": ", ".join(draw.sample(["Chutes", "Isolement", "Épuisement aidant", "Refus de soins"], 2)),
        "Fiche complète": draw.choices(["Oui", "Non"], [12, 1])[0],
        "Perte fonctionnelle": answer(draw, 0.8),
        "Problème médical": answer(draw, 0.75),
        "Autonomie décisionnelle": answer(draw, 0.7),
        "Aides insuffisantes": answer(draw, 0.75),
        "Pas d'entourage": answer(draw, 0.65),
        "Maladie neurodégénérative": answer(draw, 0.35),
        "Vit seul": answer(draw, 0.6),
        "N° grille": f"G{number:04d}" if has_grid else "",
        "Date grille": french(referred - timedelta(days=draw.randint(0, 40))) if has_grid else "",
    }
    for item in ITEMS:
        given = draw.choices([level, draw.choice("ABC"), "NR"], [70, 25, 3])[0]
        row[f"AGGIR {item}"] = given if has_grid else ""
    return row


def event(draw: random.Random, person: dict[str, object], number: int) -> dict[str, str]:
    """One line of the export of events."""
    kind = draw.choice(["Hospitalisation", "Passage urgences", "Chute", "Chute"])
    start = date(2025, 1, 10) + timedelta(days=draw.randint(0, 370))
    end = start + timedelta(days=draw.randint(1, 15)) if kind == "Hospitalisation" else None
    return {
        "Dossier": f"2024/{100 + int(str(person['number'])):04d}",
        "NOM": plain(str(person["last"])).upper(),
        "Prenom": plain(str(person["first"])).replace("-", " "),
        "Né(e) le": french(person["born"]),  # type: ignore[arg-type]
        "Genre": "Femme" if person["sex"] == "F" else "Homme",
        "Id évènement": f"EV-{number:05d}",
        "Type": kind,
        "Début": french(start),
        "Fin": french(end),
        "Programmé": draw.choice(["O", "N", "N"]) if kind == "Hospitalisation" else "",
        "Coût": f"{draw.randint(200, 9000)},{draw.randint(0, 99):02d}" if kind == "Hospitalisation" else "",
        "Poids (kg)": f"{draw.randint(42, 90)},{draw.randint(0, 9)}",
    }


def spoil(referrals: list[dict[str, str]], events: list[dict[str, str]]) -> None:
    """Plant what real exports have: a code nobody mapped, a date in another form, a point for a comma."""
    referrals[3]["Orienteur"] = "Télé-expertise"
    referrals[7]["Date d'orientation"] = "2025-10-03"
    referrals[11]["Urgence"] = "9"
    events[2]["Début"] = "31/11/2025"
    events[5]["Coût"] = "1250.50"
    events[8]["Type"] = "Fugue"


def write(path: Path, rows: list[dict[str, str]], encoding: str) -> None:
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding=encoding, newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), delimiter=";", lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    draw = random.Random(SEED)
    everyone = people(draw)
    referred = [person for person in everyone if int(str(person["number"])) < 32] + [everyone[38]]
    referrals = [referral(draw, person, 100 + n) for n, person in enumerate(referred)]
    referrals += [referral(draw, referred[2], 190), referral(draw, referred[9], 191)]  # referred twice
    known_at_home = [person for person in everyone if 18 <= int(str(person["number"])) < 38]
    events = [event(draw, draw.choice(known_at_home), n) for n in range(70)]
    spoil(referrals, events)
    write(HERE / "orientia" / "orientations.csv", referrals, "latin-1")
    meetings = [
        {"N°": f"C{n}", "Date": french(date(2026, 1, 8) + timedelta(14 * n)), "Secteur": sector, "Places": str(places)}
        for n, (sector, places) in enumerate([("Nord", 3), ("Sud", 2), ("Nord", 4), ("Sud", 3), ("Littoral", 3)])
    ]  # fmt: skip
    write(HERE / "orientia" / "commissions.csv", meetings, "latin-1")
    write(HERE / "medisoc" / "suivi.csv", events, "utf-8")


if __name__ == "__main__":
    main()
