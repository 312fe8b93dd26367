"""What the cells of a spreadsheet are: numbers as people write them, texts, or nothing."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

# Of the characters that look like a blank, and those that nobody sees.
_BLANKS = dict.fromkeys(map(ord, "\u00a0\u2007\u2009\u202f\u3000"), " ")
_UNSEEN = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff"), None)
_INVISIBLE = {**_BLANKS, **_UNSEEN}
_SIGNS = {
    **dict.fromkeys(map(ord, "\u2212\u2010\u2011\u2012\u2013\u2014\u2015\ufe58\ufe63\uff0d"), "-"),
    **dict.fromkeys(map(ord, "\u00ad\u02d7\u2796"), "-"),
    **dict.fromkeys(map(ord, "\uff0b\ufe62\u2795"), "+"),
    **dict.fromkeys(map(ord, "\uff0e\ufe52\u066b"), "."),
    **dict.fromkeys(map(ord, "\uff0c\ufe50\u201a"), ","),
    ord("\u066c"): "'",  # between thousands, in Arabic
    **dict.fromkeys(map(ord, "\uff05\u066a\ufe6a"), "%"),
}

_LONGEST = 200  # characters of a number
_PLAIN = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_START = re.compile(r"([+-]?) ?(\d+(?:[.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?")
THOUSANDS = re.compile(r"[1-9]\d{0,2}(,\d{3})+")

_PREFIXED = "mol m g s A K L l M N V W J Pa Hz Da eV bar F H T C S Ω ohm cal Wh U kat lm lx Gy Sv"
_ALONE = (
    "% ‰ ° °C °F °K degC degF deg rad Å rpm psi atm Torr torr mmHg ppm ppb ppt x OD IU CFU RU "
    "bp kb nt aa mol% wt% vol% w% at% wt vol min hr hrs h d yr v/v w/w a.u. au in ft lb oz gal px"
)
_WORDS = (
    "second minute hour day week month year cycle equivalent equiv eq degree percent fold dose "
    "step layer mole gram litre liter meter metre volt watt sec inch atom turn rev kelvin celsius"
)
_GLUED = set("%‰°hsgKCVMLmNWx")  # single letters that are a unit right behind a number


def _any(words: str) -> str:
    return "|".join(re.escape(word) for word in sorted(words.split(), key=len, reverse=True))


_SI = rf"[fpnuµμmcdkMGT]?(?:{_any(_PREFIXED)})"
# Per cent of what: wt.-%, Gew.-%, mol-%, area-%, % (v/v).
_PARTS = (
    r"(?:(?:[Ww]t|[Mm]ol|[Vv]ol|[Aa]rea|Gew|Ma|Fl)\.?-? ?%|% ?(?:\([vwma]/[vwma]\)|[vwma]/[vwma]))"
)
_OTHER = rf"(?:{_PARTS}|(?:{_any(_WORDS)})s?|{_any(_ALONE)})"
_INVERSE = r"(?:\^?-\d|⁻[¹²³⁴])"
_ONE = rf"(?:{_SI}(?:{_INVERSE}|\^?[2-4]|[²³⁴])?|{_OTHER}{_INVERSE}?)"
# Blanks multiply units only before a negative power: "4 A MS" is a molecular sieve.
_UNIT = rf"/? ?{_ONE}(?: ?[/·⋅*] ?{_ONE}| (?:{_SI}|{_OTHER}){_INVERSE}| %)*\.?"
_UNIT_ALONE = re.compile(_UNIT)
# What may be a unit that is not known: a word, or several of the kind that units are made of.
_WORD = re.compile(
    r"(?:[^\W\d_]|[(°])\S*|%(?: ?\(?[vwm]/[vwm]\)?)?|[^\W\d_]{1,4}(?: [^\W\d_]\.?)+"
    r"|\w+\.(?: \w+\.| ?%)|deg\w* \w|per cent"
)
_MICRO = re.compile(r"(?<![^\W\d_])u(?=(?:mol|Pa|[MLlmgsAVWJNK])(?![^\W\d_]))")  # uM, mg/uL
_PER_CENT = re.compile(r"(\w)[.-]+%")
_SPELLINGS = {
    **dict.fromkeys(("Wt%", "Gew%", "Ma%"), "wt%"),
    "Mol%": "mol%",
    "Vol%": "vol%",
    **dict.fromkeys(("Area%", "Fl%"), "area%"),
    **dict.fromkeys(("hour", "hr", "hrs"), "h"),
    **dict.fromkeys(("minute", "mins"), "min"),
    **dict.fromkeys(("second", "sec", "secs"), "s"),
    **dict.fromkeys(("equiv", "equivalent", "eqs"), "eq"),
    "degC": "°C",
    "degF": "°F",
    "percent": "%",
}

# Numbers that are not read, but are no texts either.
_BODY = (
    r"(?:\d{1,3}(?:[., '\u2019_]\d{3})+(?:[.,]\d+)?|\d{1,2}(?:,\d{2})+,\d{3}(?:\.\d+)?"
    r"|\d+(?:[.,]\d*)?|[.,]\d+)(?: ?[eE] ?[+-]?\d+)?"
)
_SMALL = "⁰¹²³⁴-⁹⁺⁻"
_POWER = rf"(?: ?[x\u00d7·⋅*] ?10(?: ?\^ ?| ?\*\* ?)?[+-]?[\d{_SMALL}]+)"
_ERROR = rf"(?: ?(?:±|\+/-|\+-) ?{_BODY})"
_BEHIND = rf"(?: |(?=[^\W\d_]{{2}}|[%‰°])){_UNIT}"
_BEFORE = (
    r"(?:[<>≤≥⩽⩾≦≧≲≳≪≫\uff1c\uff1e~≈≃≅\u223c\uff5e\u301c\u02dc=$€£¥±'\"(\[{?%]"
    r"|(?i:ca\.?|circa|c\.|approx\.?|approximately|about|around|roughly|nearly|almost|up to"
    r"|(?:less|more|greater) than|at (?:least|most)|below|above|under|over)(?: |(?<=\.)))"
)
_AFTER = r"[])}'\"*†‡$€£¥?!<>=:;#\u00d7\u2032\u2033-]"
_UNREAD = re.compile(
    rf"(?:{_BEFORE} ?){{0,3}}"
    rf"[+⁺₊⁻₋-]{{0,2}} ?{_BODY}{_POWER}?{_ERROR}?(?:{_BEHIND})?(?: ?{_AFTER}){{0,3}}"
    rf"|{_BODY} ?(?:to|or|\.\.\.?|…) ?{_BODY}(?:{_BEHIND})?|{_BODY} ?- ?{_BODY}{_BEHIND}"
    rf"|[+-]?(?:\d+ ?(?:\^|\*\*) ?[+-]?\d+|\d+[{_SMALL}]+|\d* ?[¼-¾⅐-⅞])"
    r"|[+-]?(?:\d+ )?\d+ ?[/\u2044\u2215] ?\d+"
    r"|[+-]?\d+·\d+|[+-]?\d+[.,]\d+ ?\(\d+\)|[+-]?\d+\.\d*[dD][+-]?\d+|0[xX][\da-fA-F]+"
    r"|(?i:[+-]?inf(?:inity)?)|[+-]?∞|[+-]?1\.#\w+"
)
# What programs write where a value is missing or could not be worked out, beside "NA".
_MISSING = re.compile(
    r"[+-]?nan|n/a|n\.a\.?|<na>|null|#(?:n/.|н/д|nv)|#(?=\S*[^\W\d_])[¡\w./-]+[!?]|#n/a.*"
    r"|#(?:value|div/0|ref|name|num|null|na|spill|calc)|err:\d{3}",
    re.IGNORECASE,
)
_BRACKETS = re.compile(
    r"(?: /|,) ?(% ?\([^()]+\))\s*$"
    r"|[(\[](% ?\([^()]+\)|[^()\[\]]+)[)\]]\s*$|(?: /|,) ?([^\s,]+)$"
)


class Cell(NamedTuple):
    """What a cell is.

    Attributes:
        kind: "number"; "unread", a number that is written in another way than those that are read;
            "missing"; or "text".
        number: The number, with the point or comma that it is written with; "" where the cell holds
            nothing else.
        unit: What stands behind it, in one spelling; of a text, where a number and what may be an
            unknown unit are all of it, that.
    """

    kind: str
    number: str = ""
    unit: str = ""


PLAIN = Cell("number")  # a number as programs write it, and nothing else


def clean(cell: str) -> str:
    """A cell without blanks around it, and with one spelling of letters and blanks."""
    if cell.isascii():
        return cell.strip()
    return unicodedata.normalize("NFC", cell.translate(_INVISIBLE)).strip()


def read_cell(cell: str) -> Cell:
    """What a cleaned cell is.

    Example:
        >>> read_cell("\N{MINUS SIGN}78,5 °C")
        Cell(kind='number', number='-78,5', unit='°C')
    """
    if _PLAIN.fullmatch(cell):
        return PLAIN
    if len(cell) > _LONGEST:
        return Cell("text")
    if not cell or _is_missing(cell):
        return Cell("missing")
    signed = cell.translate(_SIGNS)
    start = _START.match(signed)
    if start is not None:
        number = "".join(part or "" for part in start.groups())
        rest = signed[start.end() :]
        unit = rest.strip()
        if not unit or is_unit(unit, glued=rest == unit):
            return Cell("number", number, unit_key(unit))
        if not _UNREAD.fullmatch(signed):
            # "0.5X" is no name, as "2MeTHF" is.
            apart = rest != unit or unit[0] in "%°" or ("." in number and unit.isalpha())
            return Cell("text", unit=unit if apart and _WORD.fullmatch(unit) else "")
    return Cell("unread" if _UNREAD.fullmatch(signed) else "text")


def _is_missing(cell: str) -> bool:
    return cell == "NA" or _MISSING.fullmatch(cell) is not None  # "Na" is sodium


def is_unit(text: str, *, glued: bool = False) -> bool:
    """Whether a text is a unit that is known.

    Args:
        text: Without blanks around it.
        glued: Whether it stands right behind a number, where most letters alone are no unit: "1a"
            and "2b" name compounds.
    """
    text = text.replace("º", "°").replace("℃", "°C").replace("℉", "°F")
    if glued and len(text) == 1 and text not in _GLUED:
        return False
    return _UNIT_ALONE.fullmatch(text) is not None


def unit_key(unit: str) -> str:
    """One spelling of a unit.

    Micro signs, small numbers, blanks, dots, plurals, and words for hours and degrees are as one.

    Example:
        >>> unit_key("uM"), unit_key("hours"), unit_key("degC")
        ('μM', 'h', '°C')
    """
    key = unicodedata.normalize("NFKC", unit.replace("º", "°")).replace(" ", "").rstrip(".")
    key = _MICRO.sub("\N{GREEK SMALL LETTER MU}", key)
    if "%" in key:
        key = _PER_CENT.sub(r"\1%", key).replace("(", "").replace(")", "")
    key = key[:-1] if len(key) > 3 and key.endswith("s") and key[:-1].isalpha() else key
    return _SPELLINGS.get(key, key)


def unit_of_header(name: str) -> str:
    """The unit in the name of a column, as "T (°C)", "T [°C]" or "T / °C"; "" where none is."""
    return unit_key(split_header(name)[1])


def split_header(name: str) -> tuple[str, str]:
    """The name of a column without its unit, and the unit as it is written; "" where none is.

    Example:
        >>> split_header("DMSO / % (v/v)"), split_header("T [°C]"), split_header("HPLC (run 2)")
        (('DMSO', '% (v/v)'), ('T', '°C'), ('HPLC (run 2)', ''))
    """
    found = _BRACKETS.search(name)
    unit = "" if found is None else next(filter(None, found.groups())).strip()
    if found is None or not unit or not is_unit(unit):
        return name, ""
    return name[: found.start()].rstrip(), unit
