"""Derive `envs/textcraft/data/recipes.json` from the npm package minecraft-data (MIT).

minecraft-data spells out every variant of a recipe: sticks from oak planks, sticks from birch
planks, and so on. Minecraft has one recipe for them, whose ingredient is a tag. This script finds
the variants that differ in the member of one family only and merges them into one recipe. The data
does not say which families are tags (three flowers that give one dye are three recipes), so they
are listed here.

    npm pack minecraft-data@3.117.0 && tar xzf minecraft-data-3.117.0.tgz
    python tools/textcraft_recipes.py package/minecraft-data/data/pc/1.16.2
"""

from __future__ import annotations

import argparse
import itertools
import json
import pathlib
from collections import Counter, defaultdict
from typing import Any

OUTPUT = pathlib.Path(__file__).parents[1] / "envs" / "textcraft" / "data" / "recipes.json"

SOURCE = "Recipe facts of Minecraft 1.16.2, derived from minecraft-data 3.117.0 (MIT, PrismarineJS)"

WOODS = ("oak", "spruce", "birch", "jungle", "acacia", "dark_oak")
STEMS = ("crimson", "warped")
LIGHT = ("white", "orange", "magenta", "light_blue", "yellow", "lime", "pink", "light_gray")
DARK = ("gray", "cyan", "purple", "blue", "brown", "green", "red", "black")

Variant = tuple[str, ...]
"""The ingredients of one variant, one name for every key of its pattern."""

Pattern = tuple[str, int, tuple[int, ...]]
"""What variants of one recipe share: the output, its count, and how often each key occurs."""


def families() -> dict[str, tuple[str, ...]]:
    """Return the members of every tag, the common one first."""
    logs = {
        **{f"{wood}_logs": _logs_of(wood, "log", "wood") for wood in WOODS},
        **{f"{stem}_stems": _logs_of(stem, "stem", "hyphae") for stem in STEMS},
    }
    return {
        **logs,
        "logs": tuple(itertools.chain(*logs.values())),
        "planks": tuple(f"{wood}_planks" for wood in (*WOODS, *STEMS)),
        "wooden_slabs": tuple(f"{wood}_slab" for wood in (*WOODS, *STEMS)),
        "wool": tuple(f"{colour}_wool" for colour in (*LIGHT, *DARK)),
        "coals": ("coal", "charcoal"),
        "soul_fire_base_blocks": ("soul_sand", "soul_soil"),
        "stone_crafting_materials": ("cobblestone", "blackstone"),
        "stone_tool_materials": ("cobblestone", "blackstone"),
    }


def _logs_of(wood: str, log: str, bark: str) -> tuple[str, ...]:
    return (f"{wood}_{log}", f"stripped_{wood}_{log}", f"{wood}_{bark}", f"stripped_{wood}_{bark}")


def tag_of(members: frozenset[str], output: str) -> str | None:
    """Return the tag that has exactly *members*, or None.

    Two tags have the same members; Minecraft makes its stone tools from one of them and the rest
    from the other.
    """
    names = [tag for tag, family in families().items() if members == frozenset(family)]
    if len(names) == 2:
        names = [name for name in names if ("tool" in name) == output.startswith("stone_")]
    return names[0] if names else None


def variants_of(folder: pathlib.Path) -> dict[Pattern, set[Variant]]:
    """Return the variants of every recipe of *folder*, by what they share."""
    items = json.loads((folder / "items.json").read_text(encoding="utf-8"))
    names = {item["id"]: item["name"] for item in items}
    recipes = json.loads((folder / "recipes.json").read_text(encoding="utf-8"))
    variants: dict[Pattern, set[Variant]] = defaultdict(set)
    for recipe in itertools.chain(*recipes.values()):
        counts = Counter(names[cell] for cell in _cells(recipe))
        result = recipe["result"]
        pattern = (names[result["id"]], int(result["count"]), tuple(counts.values()))
        variants[pattern].add(tuple(counts))
    return variants


def _cells(recipe: dict[str, Any]) -> list[int]:
    rows = recipe.get("inShape") or [recipe["ingredients"]]
    return [cell for row in rows for cell in row if cell is not None]


def fold_tags(output: str, variants: set[Variant]) -> set[Variant]:
    """Return *variants* with every complete family at one place replaced by ``#tag``."""
    for place in range(len(next(iter(variants)))):
        groups: dict[tuple[Variant, Variant], set[str]] = defaultdict(set)
        for variant in variants:
            groups[variant[:place], variant[place + 1 :]].add(variant[place])
        variants = {
            (*before, name, *after)
            for (before, after), members in groups.items()
            for name in _names(output, members)
        }
    return variants


def _names(output: str, members: set[str]) -> set[str]:
    tag = tag_of(frozenset(members), output)
    return members if tag is None else {f"#{tag}"}


def recipe_facts(folder: pathlib.Path) -> dict[str, Any]:
    """Return the content of the data file, sorted."""
    recipes = sorted(
        [output, amount, [[name, count] for name, count in zip(variant, counts, strict=True)]]
        for (output, amount, counts), variants in variants_of(folder).items()
        for variant in fold_tags(output, variants)
    )
    used = {name[1:] for _, _, parts in recipes for name, _ in parts if name.startswith("#")}
    tags = {tag: list(members) for tag, members in sorted(families().items()) if tag in used}
    return {"source": SOURCE, "tags": tags, "recipes": recipes}


def main() -> None:
    """Write the data file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path, help=".../minecraft-data/data/pc/1.16.2")
    facts = recipe_facts(parser.parse_args().folder)
    lines = ",\n".join(json.dumps(recipe, separators=(",", ":")) for recipe in facts["recipes"])
    tags = json.dumps(facts["tags"], separators=(",", ":"))
    source = json.dumps(facts["source"])
    text = f'{{"source":{source},\n"tags":{tags},\n"recipes":[\n{lines}\n]}}\n'
    OUTPUT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
