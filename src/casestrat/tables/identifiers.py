"""Column headers that look like direct identifiers, in English, French and Italian."""

from __future__ import annotations

import re
import unicodedata

_WHO = "person|patient|personne|persona|usager|usagere|utente|paziente|assistito|beneficiaire|client|resident|caregiver"
_WHAT = "|".join(
    (
        # names
        "name|names|full_?name|first_?name|last_?name|given_?name|family_?name|maiden_?name|birth_?name|middle_?name",
        "surname|forename|initials|nom|noms|prenom|prenoms|nom_prenom|nom_(de_)?(naissance|famille|usage|jeune_fille)",
        "nome|cognome|nominativo|nome_cognome|cognome_nome",
        # birth dates
        "birth_?date|birth_?day|date_?of_?birth|dob|(date|jour)_?(de_)?naissance|ddn|ne_le|ne_e_le|nee_le|date_naiss",
        "data_(di_)?nascita|nato_il|nata_il",
        # national numbers
        "nir|nni|ins|ins_nir|ins_c|numero_ins|n(ume?ro?|o)?_?(de_)?secu(rite)?(_sociale)?|securite_sociale|ssn|ssan",
        "social_security(_(number|no|num))?|nhs_(number|no)|mrn|medicare_(id|number)|mbi|national_(id|number)",
        "codice_fiscale|cod_fisc|codfisc|cf|tessera_sanitaria",
        # reachability
        "(tele)?phone(_(number|no))?|mobile(_(phone|number))?|tel|telephone|telefono|cellulare|portable|fax",
        "e_?mail(_address)?|mail|courriel|mel|posta_elettronica|pec",
        "(street_|home_|postal_)?address|adresse(_postale)?|indirizzo|domicilio",
    )
)
_DIRECT = re.compile(rf"^(?:({_WHO})_(?:s_)?)?(?:{_WHAT})(?:_(?:de_|du_|of_|della_|del_)?(?:l_)?(?:{_WHO}))?(?:_?\d)?$")


def plain_header(header: str) -> str:
    """Return a header in lower case without accents, words joined by ``_``.

    Examples
    --------
    >>> plain_header("Prénom de l'usager"), plain_header("birthDate")
    ('prenom_de_l_usager', 'birth_date')
    """
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", header)
    folded = unicodedata.normalize("NFKD", spaced).encode("ascii", "ignore").decode("ascii").lower()
    return re.sub(r"[^a-z0-9]+", "_", folded).strip("_")


def looks_like_identifier(header: str) -> bool:
    """Tell whether a header names a direct identifier.

    Examples
    --------
    >>> [looks_like_identifier(h) for h in ("Nom", "date_naissance", "Codice Fiscale", "birth_year", "territory")]
    [True, True, True, False, False]
    """
    return _DIRECT.match(plain_header(header)) is not None
