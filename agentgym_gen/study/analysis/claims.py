# The capitals name the axes of an array.
"""The ten claims of arXiv 2603.12011, each as a number that rows decide, with a verdict.

The paper's tables were not readable to us: its numbers are second-hand, from published summaries.
Every claim is put so that it says "this number is above the margin". The verdict is *agrees* if the
95 % interval is above, *disagrees* if it is below, *cannot tell* otherwise; for the claim that two
things are alike, *agrees* if the interval is within the margins, *disagrees* if it is outside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from agentgym_gen.study.analysis.analysis import Results
from agentgym_gen.study.analysis.descriptors import env_parts, is_harder
from agentgym_gen.study.results.failures import CONFIRMATION_BIAS
from agentgym_gen.study.plan.plan import BASE, Arm, Stage, arm_name, label
from agentgym_gen.study.analysis.statistics import CONFIDENCE, Estimate, Floats, interval, wilson

AGREES, DISAGREES, CANNOT_TELL, NOT_TESTED = "agrees", "disagrees", "cannot tell", "not tested"

MARGIN = 0.02
"""What is taken for no loss, where the paper speaks of well under one point."""

ALIKE = 0.05
"""What is taken for comparable."""

LEADING = 0.10
"""The share of failures from which on a failure mode is taken for a leading one."""


@dataclass(frozen=True)
class Claim:
    """A sentence of the paper on one arm of ours."""

    number: str
    """``T1`` to ``T10``."""
    sentence: str
    """What is claimed, on our arm and columns."""
    unit: str
    """What our number is."""
    ours: Estimate | None
    """Our number; None if the study has no cells for it."""
    margin: float = 0.0
    """The claim holds above it."""
    alike: bool = False
    """Whether the claim is that the number is within plus and minus the margin."""

    @property
    def verdict(self) -> str:
        """Whether our interval agrees with the claim."""
        if self.ours is None or np.isnan(self.ours.low):
            return NOT_TESTED
        low, high = self.ours.low, self.ours.high
        if self.alike:
            inside = -self.margin < low and high < self.margin
            outside = low > self.margin or high < -self.margin
            return AGREES if inside else DISAGREES if outside else CANNOT_TELL
        if low > self.margin:
            return AGREES
        return DISAGREES if high < self.margin else CANNOT_TELL


SENTENCES = {
    "T1": "Training on easy tasks alone raises hard tasks of the same environment by far",
    "T2": "A curriculum from easy to hard is at least as good as either alone",
    "T3": "Training makes episodes of its own environment shorter",
    "T4": "Gains are far greater held in than held out",
    "T5": "Transfer to other environments is uneven and can be negative",
    "T6": "Training with the list of actions shown hurts where it is not shown",
    "T7": "After a second environment the first is kept, and the second is as good as alone",
    "T8": "One environment after another is about as good as all together",
    "T9": "All together gives the best balance",
    "T10": "Confirmation bias remains a leading failure after training",
}
"""The claims in one sentence each."""

PAPER = {
    "T1": "WebShop hard, 7B: 17.4 to 77.5 (+60.1); AlfWorld hard: 14.5 to 49.4 (+34.9)",
    "T2": "BabyAI: +2.0 over easy only, +3.3 over hard only",
    "T3": "BabyAI, 3B: turns 10.76 to 4.19 (-61 %), tokens 624.6 to 160.6 (-74 %)",
    "T4": "AlfWorld held in +78.6 (3B), +65.4 (7B); held out on average +3.3, +3.4",
    "T5": "7B trained on BabyAI: WebShop 28.6 to 10.3 (-18.3), held out on average -3.2",
    "T6": "trained on BabyAI, which lists at every turn: WebShop, which does not, 28.6 to 10.3",
    "T7": "WebShop then TextCraft: TextCraft 80.9 to 82.5, WebShop 86.5 to 86.3 (-0.2)",
    "T8": "five environments in sequence and jointly: comparable",
    "T9": "mixture improves the overall balance",
    "T10": "at least 10 % of failures in every environment",
}
"""The paper's own numbers, second-hand."""


def check_claims(results: Results, arms: Sequence[Arm]) -> list[Claim]:
    """Return every claim on every arm that it speaks of; one on none is there, untested."""
    claims: list[Claim] = []
    for number, check in _CHECKS.items():
        found = list(check(results, arms))
        claims += found or [Claim(number, "no arm of this study", "", None)]
    return claims


def _single(arms: Sequence[Arm], *families: str) -> Iterator[Arm]:
    """Yield the arms of one stage on one environment, of some *families* or any, each once."""
    known: set[str] = set()
    for arm in [arm for arm in arms if not families or arm.family in families]:
        if len(arm.stages) == 1 and len(arm.stages[0].env_ids) == 1 and arm.name not in known:
            known.add(arm.name)
            yield arm


def _tested(results: Results, name: str) -> list[str]:
    return [c for arm, c in results.pairs if arm == name and results.has((name, c), (BASE, c))]


def _t1(results: Results, arms: Sequence[Arm]) -> Iterator[Claim]:
    for arm in _single(arms):
        for column in _tested(results, arm.name):
            if is_harder(column, arm.stages[0].env_ids[0]):
                told = f"{arm.name} raises {label(column)}"
                yield Claim("T1", told, "gain, points", results.gain(arm.name, column))


def _t2(results: Results, arms: Sequence[Arm]) -> Iterator[Claim]:
    for arm in arms:
        if arm.family != "difficulty" or len(arm.stages) != 2:
            continue
        first, second = (env_parts(stage.env_ids[0]) for stage in arm.stages)
        if not is_harder(arm.stages[1].env_ids[0], arm.stages[0].env_ids[0]):
            continue
        for tier, stage in ((first.tier, arm.stages[0]), (second.tier, arm.stages[1])):
            alone = arm_name([Stage(stage.name, stage.env_ids)])
            columns = [c for c in arm.columns if results.has((arm.name, c), (alone, c))]
            if columns:
                told = f"{arm.name} against {tier} alone, mean over {len(columns)} tiers"
                ours = results.mean_gain(arm.name, columns, over=alone)
                yield Claim("T2", told, "difference, points", ours, -MARGIN)


def _t3(results: Results, arms: Sequence[Arm]) -> Iterator[Claim]:
    for arm in _single(arms, "cross", "difficulty"):
        own = arm.stages[0].env_ids[0]
        if results.has((arm.name, own), (BASE, own)):
            turns = Results(_as_turns(results, [arm.name, BASE], own))
            shorter = turns.gain(BASE, own, over=arm.name)
            yield Claim("T3", f"{arm.name} on {label(own)}", "turns saved", shorter)


def _as_turns(results: Results, names: Sequence[str], column: str) -> Iterator[dict[str, object]]:
    """Yield the rows of *names* with the number of turns in the place of success."""
    for name in names:
        for row in results.rows(name, column):
            yield {**row, "success": row["turns"]}


def _others(results: Results, arm: Arm) -> list[str]:
    """Return the columns of other environments that *arm* was tested on."""
    mine = {env_parts(env_id).name for stage in arm.stages for env_id in stage.env_ids}
    return [c for c in _tested(results, arm.name) if env_parts(c).name not in mine]


def _t4(results: Results, arms: Sequence[Arm]) -> Iterator[Claim]:
    for arm in _single(arms, "cross"):
        own, others = arm.stages[0].env_ids[0], _others(results, arm)
        if others and own in _tested(results, arm.name):
            told = f"{arm.name}: held in less the mean of {len(others)} others"
            ours = results.transfer_gap(arm.name, [own], others)
            yield Claim("T4", told, "difference of gains, points", ours)


def _t5(results: Results, arms: Sequence[Arm]) -> Iterator[Claim]:
    pairs = [
        (arm.name, column)
        for arm in _single(arms, "cross", "interface")
        for column in _others(results, arm)
    ]
    if not pairs:
        return
    arm_name_, column = min(pairs, key=lambda pair: results.gain(*pair).value)
    both = [(arm_name_, column), (BASE, column)]
    value, draws = results.draws(both, lambda m: m[1] - m[0])
    # The worst of many is chosen by looking: its interval is Bonferroni's.
    ends = interval(draws, 1 - (1 - CONFIDENCE) / len(pairs))
    found = results.gain(arm_name_, column)
    told = f"the worst of {len(pairs)}: {arm_name_} on {label(column)} (Bonferroni)"
    ours = Estimate(value, *ends, found.tasks, found.seeds, found.p)
    yield Claim("T5", told, "loss, points", ours)


def _t6(results: Results, arms: Sequence[Arm]) -> Iterator[Claim]:
    for arm in _single(arms):
        own = env_parts(arm.stages[0].env_ids[0])
        if own.interface != "listed":
            continue
        for column in _tested(results, arm.name):
            parts = env_parts(column)
            same = (parts.name, parts.tier) == (own.name, own.tier)
            if same and parts.interface in ("native", "unlisted"):
                told = f"{arm.name} on {label(column)}"
                loss = results.gain(arm.name, column).negated()
                yield Claim("T6", told, "loss, points", loss)


def _t7(results: Results, arms: Sequence[Arm]) -> Iterator[Claim]:
    for arm in arms:
        if arm.family != "sequence" or len(arm.stages) != 2:
            continue
        first, second = arm.stages
        one, two = first.env_ids[0], second.env_ids[0]
        if results.has((arm.name, one), (arm_name([first]), one)):
            kept = results.gain(arm.name, one, over=arm_name([first]))
            told = f"{arm.name}: {label(one)} is kept"
            yield Claim("T7", told, "change, points", kept, -MARGIN)
        if results.has((arm.name, two), (arm_name([second]), two)):
            reached = results.gain(arm.name, two, over=arm_name([second]))
            told = f"{arm.name}: {label(two)} against alone"
            yield Claim("T7", told, "difference, points", reached, -MARGIN)


def _mixtures(arms: Sequence[Arm]) -> list[Arm]:
    return [arm for arm in arms if arm.family == "mixture"]


def _t8(results: Results, arms: Sequence[Arm]) -> Iterator[Claim]:
    for joint in _mixtures(arms):
        for arm in arms:
            trained = {env_id for stage in arm.stages for env_id in stage.env_ids}
            whole = arm.family == "sequence" and trained == set(joint.columns)
            pairs = [(n, c) for n in (arm.name, joint.name) for c in joint.columns]
            if whole and len(arm.stages) > 2 and results.has(*pairs):
                ours = results.mean_gain(arm.name, joint.columns, over=joint.name)
                told = f"{arm.name} less {joint.name}, mean over {len(joint.columns)}"
                yield Claim("T8", told, "difference, points", ours, ALIKE, alike=True)


def _t9(results: Results, arms: Sequence[Arm]) -> Iterator[Claim]:
    for joint in _mixtures(arms):
        columns = joint.columns
        singles = [
            arm.name
            for arm in _single(arms, "cross")
            if results.has(*((arm.name, c) for c in columns))
        ]
        if not singles or not results.has(*((joint.name, c) for c in columns)):
            continue
        pairs = [(name, column) for name in (joint.name, *singles) for column in columns]
        ours = results.combine(pairs, _less_the_best(len(singles) + 1, len(columns)))
        told = f"{joint.name} less the best single training, mean over {len(columns)}"
        yield Claim("T9", told, "difference, points", ours)


def _less_the_best(arms: int, columns: int) -> Callable[[Floats], Floats]:
    def formula(means: Floats) -> Floats:
        of_arm = means.reshape(arms, columns, *means.shape[1:]).mean(axis=1)
        return np.asarray(of_arm[0] - of_arm[1:].max(axis=0))

    return formula


def _t10(results: Results, arms: Sequence[Arm]) -> Iterator[Claim]:
    for arm in _single(arms, "cross"):
        own = arm.stages[0].env_ids[0]
        if not results.has((arm.name, own)):
            continue
        failed = [row for row in results.rows(arm.name, own) if not row["success"]]
        if not failed:
            continue
        biased = [row for row in failed if set(CONFIRMATION_BIAS) & set(row["failures"])]
        tasks = len({row["task_id"] for row in failed})
        share = len(biased) / len(failed)
        ours = Estimate(share, *wilson(share, tasks), tasks)
        told = f"share of the {len(failed)} failed episodes of {arm.name} on {label(own)}"
        yield Claim("T10", told, "percent of failures", ours, LEADING)


_CHECKS: dict[str, Callable[[Results, Sequence[Arm]], Iterator[Claim]]] = {
    **{"T1": _t1, "T2": _t2, "T3": _t3, "T4": _t4, "T5": _t5},
    **{"T6": _t6, "T7": _t7, "T8": _t8, "T9": _t9, "T10": _t10},
}

__all__ = ["PAPER", "SENTENCES", "Claim", "check_claims"]
