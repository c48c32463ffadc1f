"""Two runs of one plan with other training seeds beside each other: what holds again.

Both runs play the same tasks, so what differs is the training. Nothing is averaged over both: a
verdict or a gain of the first run is a prediction, and the second run tests it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from agentgym_gen.errors import DataError
from agentgym_gen.study.analysis.analysis import Pair
from agentgym_gen.study.analysis.claims import (
    AGREES,
    CANNOT_TELL,
    DISAGREES,
    NOT_TESTED,
    Claim,
    check_claims,
)
from agentgym_gen.study.analysis.statistics import Estimate
from agentgym_gen.study.plan.plan import BASE, Plan, display_name, label
from agentgym_gen.study.plan.validation import first_difference, short_repr
from agentgym_gen.study.report.context import ReportContext, is_sure
from agentgym_gen.study.report.document import (
    Block,
    Bullets,
    Document,
    Heading,
    Table,
    TableCell,
    Text,
    points,
)
from agentgym_gen.study.report.inline import without_marks
from agentgym_gen.study.results.rows import read_cells, read_curves, read_episodes

__all__ = ["make_replication"]

FREE_KEYS = ("seeds", "name", "about")
"""The keys of a plan that may differ between two runs of one study."""

OPPOSITE = {AGREES, DISAGREES}
"""Two verdicts of which at most one can be right."""


@dataclass(frozen=True)
class RepeatedClaim:
    """A claim in both runs; a run that could not test it has no number."""

    first: Claim
    second: Claim

    @property
    def name(self) -> str:
        """The number of the claim, and the arms that it is about."""
        sentences = dict.fromkeys(display_name(c.sentence) for c in (self.first, self.second))
        return f"{self.first.number}: {'; again: '.join(sentences)}"

    @property
    def verdicts(self) -> tuple[str, str]:
        """The verdicts of both runs."""
        return self.first.verdict, self.second.verdict

    @property
    def agreement(self) -> str:
        """How the second verdict is to the first; empty if a run has none."""
        if NOT_TESTED in self.verdicts:
            return ""
        if {*self.verdicts} == OPPOSITE:
            return "opposite"
        return "same" if self.first.verdict == self.second.verdict else "other"


RepeatedGain = tuple[Pair, Estimate | None, Estimate | None]
"""An arm and a column with the gain in both runs; None where no training changed the arm, or it
was not tested."""


def make_replication(first: tuple[Plan, Path], second: tuple[Plan, Path]) -> Document:
    """Return both runs beside each other.

    Raises:
        DataError: if the plans differ in more than their seeds, share a seed, or a run has no
            results of the base or played other tasks than the other.
    """
    check_comparable(first, second)
    contexts = [_read(plan, out) for plan, out in (first, second)]
    check_same_tasks(*contexts)
    claims, gains = repeated_claims(*contexts), repeated_gains(*contexts)
    seeds = " and ".join(_seeds(plan) for plan, _ in (first, second))
    sentences = [*_verdict_sentences(claims), *_gain_sentences(gains)]
    blocks: list[Block] = [
        Text(
            f"Two runs of one plan, whose models were trained with the seeds {seeds}, on the same "
            "tasks. The first run is a prediction, the second tests it."
        ),
        Bullets(sentences),
        *_claim_blocks(claims),
        *_gain_blocks(gains),
    ]
    summary = [without_marks(sentence) for sentence in sentences]
    return Document(f"Study: {first[0].name}, trained again with other seeds", blocks, summary)


def check_comparable(first: tuple[Plan, Path], second: tuple[Plan, Path]) -> None:
    """Check that two runs are of one plan, with no seed in common.

    Raises:
        DataError: if they are not.
    """
    (plan_1, out_1), (plan_2, out_2) = first, second
    common = sorted({*plan_1.seeds} & {*plan_2.seeds})
    if common:
        raise DataError(
            f"Both {out_1} and {out_2} have the training seed {common[0]}; a second run tests the "
            "first only with seeds of its own: `study run ... --seeds 3 4 5`"
        )
    old, new = (
        json.loads(json.dumps({**plan.as_dict(), **dict.fromkeys(FREE_KEYS)}))
        for plan in (plan_1, plan_2)
    )
    if old != new:
        key, a, b = first_difference(old, new)
        raise DataError(
            f"{out_2} is a run of another plan than {out_1}: there `{key}` is {short_repr(a)}, "
            f"here it is {short_repr(b)}; only the seeds may differ"
        )


def check_same_tasks(first: ReportContext, second: ReportContext) -> None:
    """Check that the bases of two runs played the same tasks.

    Raises:
        DataError: if they did not, as with versions that sample tasks in another way.
    """
    for arm, column in first.results.pairs:
        if arm == BASE and (arm, column) in second.results.pairs:
            tasks = [context.results.scores(arm, column).tasks for context in (first, second)]
            if tasks[0] != tasks[1]:
                raise DataError(
                    f"The runs played other tasks of {label(column)}: they are of versions that "
                    "sample tasks in different ways; run one of them again"
                )


def repeated_claims(first: ReportContext, second: ReportContext) -> list[RepeatedClaim]:
    """Return every claim that a run has tested, with both verdicts."""
    tables = [
        {claim.key: claim for claim in check_claims(context.results, context.trained_arms)}
        for context in (first, second)
    ]
    pairs = [
        RepeatedClaim(*(table.get(key, Claim(*key, "", None)) for table in tables))
        for key in dict.fromkeys([*tables[0], *tables[1]])
    ]
    tested = [pair for pair in pairs if {*pair.verdicts} != {NOT_TESTED}]
    return sorted(tested, key=lambda pair: int(pair.first.number.removeprefix("T")))


def repeated_gains(first: ReportContext, second: ReportContext) -> list[RepeatedGain]:
    """Return the gain of every arm on every column in both runs."""
    pairs = dict.fromkeys([*first.gains, *second.gains])
    return [(pair, first.gains.get(pair), second.gains.get(pair)) for pair in pairs]


def _verdict_sentences(claims: Sequence[RepeatedClaim]) -> Iterator[str]:
    both = [claim for claim in claims if claim.agreement]
    counts = Counter(claim.agreement for claim in both)
    judged = [claim for claim in both if claim.first.verdict != CANNOT_TELL]
    again = sum(claim.agreement == "same" for claim in judged)
    yield (
        f"{counts['same']} of {len(both)} verdicts are the same, and {counts['opposite']} are "
        "opposite."
    )
    yield (
        f"The first run agrees or disagrees with {len(judged)} claims; the second has the same "
        f"verdict on {again} of them."
    )
    if len(both) < len(claims):
        yield f"Claims that one run only could test: {len(claims) - len(both)}."


def _gain_sentences(gains: Sequence[RepeatedGain]) -> Iterator[str]:
    both = [
        (first, second) for _, first, second in gains if first is not None and second is not None
    ]
    yield _repeated("with an interval beyond zero", both, lambda gain: gain.excludes_zero)
    yield _repeated("sure after Holm", both, is_sure)
    inside = sum(first.low <= second.value <= first.high for first, second in both)
    yield f"{inside} of {len(both)} gains of the second run lie in the interval of the first."


def _repeated(
    kind: str, both: Sequence[tuple[Estimate, Estimate]], is_kind: Callable[[Estimate], bool]
) -> str:
    """Say how many gains of the first run are of a *kind*, and what the second run has of them."""
    chosen = [(first, second) for first, second in both if is_kind(first)]
    count = f"Gains and losses of the first run {kind}: {len(chosen)}."
    if not chosen:
        return count
    again = [second for first, second in chosen if first.value * second.value > 0]
    return (
        f"{count} In the second run {len(again)} of them have the same sign, "
        f"{sum(gain.excludes_zero for gain in again)} with an interval beyond zero, "
        f"{sum(map(is_sure, again))} sure after Holm."
    )


def _claim_blocks(claims: Sequence[RepeatedClaim]) -> Iterator[Block]:
    yield Heading("Verdicts", "verdicts")
    yield Table(
        ["claim", "first run", "second run", ""],
        [
            (
                claim.name,
                [*map(_claim_cell, (claim.first, claim.second)), TableCell(claim.agreement)],
            )
            for claim in claims
        ],
        "Each verdict with its number, in points or percent, and its 95 % interval.",
    )


def _claim_cell(claim: Claim) -> TableCell:
    return TableCell(claim.verdict, points(claim.ours) if claim.ours else "")


def _gain_blocks(gains: Sequence[RepeatedGain]) -> Iterator[Block]:
    yield Heading("Gains", "gains")
    yield Table(
        ["arm and column", "first run", "second run"],
        [
            (f"{display_name(arm)} on {label(column)}", [_gain_cell(first), _gain_cell(second)])
            for (arm, column), first, second in gains
        ],
        "Gains over the base in points, with 95 % intervals; **bold** where p < 0.05 after Holm's "
        "adjustment over every cell of its run, with three training seeds or more. None: no "
        "training changed the arm, or it was not tested.",
    )


def _gain_cell(gain: Estimate | None) -> TableCell:
    if gain is None:
        return TableCell("none", grey=True)
    return TableCell(points(gain), bold=is_sure(gain))


def _seeds(plan: Plan) -> str:
    return ", ".join(map(str, plan.seeds))


def _read(plan: Plan, out: Path) -> ReportContext:
    """Return the context of a run, without given models that no seed trains again."""
    episodes, cells = (
        [row for row in rows if row["arm"] not in plan.given_once]
        for rows in (read_episodes(out, plan), read_cells(out, plan))
    )
    return ReportContext.of_rows(plan, episodes, cells, read_curves(out))
