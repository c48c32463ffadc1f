"""The shared input of the sections of one report, and the blocks that several of them use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from agentgym_gen.errors import DataError
from agentgym_gen.study.analysis.analysis import Pair, Results
from agentgym_gen.study.analysis.statistics import Estimate
from agentgym_gen.study.plan.plan import BASE, Arm, ModelId, Plan, arm_name, display_name, label
from agentgym_gen.study.report.document import (
    Block,
    Forest,
    Table,
    TableCell,
    Text,
    percent_interval,
    points_interval,
)
from agentgym_gen.study.results.rows import Row
from agentgym_gen.study.results.training import (
    models_with_cells,
    unchanged_models,
    untrained_arms,
)

FULL_SHADE = 0.4
"""The gain that has the full colour of a heat map."""

HEAT_MAP_KEY = (
    "Gains over the base in points, with 95 % intervals; **bold** where p < 0.05 after Holm's "
    "adjustment over every cell of the study, with three training seeds or more; framed where the "
    "arm was trained on the column."
)


class ReportContext:
    """What the sections of one report share: results, arms, and gains adjusted together.

    Args:
        results: The rows.
        arms: The arms of the plan.
        unchanged: The models that their last stage did not change, with the reason, as
            `agentgym_gen.study.results.training.unchanged_models` returns them. The rows of arms
            that are left untrained by it are not in `results`, and their gains not in `gains`.
        models: The models of the plan that were tested.
    """

    def __init__(
        self,
        results: Results,
        arms: Sequence[Arm],
        unchanged: Mapping[str, str] | None = None,
        models: Sequence[ModelId] = (),
    ) -> None:
        self.unchanged = dict(unchanged or {})
        self.untrained = untrained_arms(models, self.unchanged)
        self.results = results.without(self.untrained) if self.untrained else results
        self.arms = arms
        self._trained_on = {
            arm_name(arm.stages[:n]): {i for stage in arm.stages[:n] for i in stage.env_ids}
            for arm in arms
            for n in range(1, len(arm.stages) + 1)
        }
        results = self.results
        pairs = [p for p in results.pairs if p[0] != BASE and results.has(p, (BASE, p[1]))]
        self.gains: dict[Pair, Estimate] = results.gains_with_holm(pairs) if pairs else {}

    @classmethod
    def of_rows(
        cls,
        plan: Plan,
        rows: Sequence[Row],
        cells: Sequence[Row],
        logs: Mapping[str, Sequence[Row]],
    ) -> ReportContext:
        """Return the context of a study.

        Args:
            plan: Its plan.
            rows: The rows of its episodes.
            cells: The rows of its cells.
            logs: The training log of every model that has one, by name.

        Raises:
            DataError: if there are no results of the base.
        """
        results = Results(rows)
        if not any(arm == BASE for arm, _ in results.pairs):
            raise DataError("The base was not tested yet; run the study again, it goes on")
        unchanged = unchanged_models(plan.models, cells, logs)
        return cls(results, plan.arms, unchanged, models_with_cells(plan.models, cells))

    @property
    def trained_arms(self) -> list[Arm]:
        """The arms of the plan without those that a training left untrained."""
        return [arm for arm in self.arms if arm.name not in self.untrained]

    def arms_of(self, family: str) -> list[Arm]:
        """Return the arms of *family* that have a result, each once."""
        tested = {*(arm for arm, _ in self.gains), *self.untrained}
        arms = {a.name: a for a in self.arms if a.family == family and a.name in tested}
        return list(arms.values())

    def is_held_in(self, arm: str, column: str) -> bool:
        """Return whether *arm* was trained on *column*, in any of its stages."""
        return column in self._trained_on.get(arm, ())

    def trained_pairs(self) -> Iterator[Pair]:
        """Yield the base and the arms of one stage on each column that they were trained on."""
        yielded: set[Pair] = set()
        for arm in self.arms:
            for column in arm.stages[-1].env_ids:
                for pair in ((BASE, column), (arm.name, column)):
                    if len(arm.stages) == 1 and pair not in yielded and self.results.has(pair):
                        yielded.add(pair)
                        yield pair

    def sample_sizes(self, arms: Sequence[Arm], columns: Sequence[str] = ()) -> str:
        """Return how many tasks and seeds the cells of *arms* have, in words.

        Args:
            arms: The arms.
            columns: The columns; empty means those of each arm.
        """
        pairs = [(arm.name, column) for arm in arms for column in columns or arm.columns]
        matrices = [self.results.scores(*pair) for pair in pairs if pair in self.results.pairs]
        if not matrices:
            return "n = 0"
        tasks = sorted({len(matrix.tasks) for matrix in matrices})
        seeds = sorted({len(matrix.seeds) for matrix in matrices})
        # The least and the most, or one number where they are the same.
        spans = ["-".join(map(str, dict.fromkeys((n[0], n[-1])))) for n in (tasks, seeds)]
        plural = "" if spans[1] == "1" else "s"
        return f"n = {spans[0]} tasks x {spans[1]} training seed{plural} a cell"

    def heat_map(self, arms: Sequence[Arm], columns: Sequence[str], caption: str) -> Table:
        """Return the gains of *arms* on *columns*, below the scores of the base."""
        columns = [c for c in columns if self.results.has((BASE, c))]
        rows = [("base, %", [self._base_cell(column) for column in columns])]
        rows += [
            (display_name(arm.name), [self._gain_cell(arm.name, column) for column in columns])
            for arm in arms
        ]
        reasons = {self.untrained[arm.name] for arm in arms if arm.name in self.untrained}
        if reasons:
            caption += f" Grey: {'; '.join(sorted(reasons))}."
        header = ["trained on / tested on", *(label(column) for column in columns)]
        return Table(header, rows, caption, css_class="heat")

    def _base_cell(self, column: str) -> TableCell:
        rate = self.results.rate(BASE, column)
        anchor = conversation_anchor(BASE, column)
        return TableCell(f"{100 * rate.value:.1f}", percent_interval(rate), link=anchor)

    def _gain_cell(self, arm: str, column: str) -> TableCell:
        if arm in self.untrained:
            return TableCell("no update", grey=True)
        gain = self.gains.get((arm, column))
        if gain is None:
            return TableCell("")
        return TableCell(
            f"{100 * gain.value:+.1f}",
            points_interval(gain),
            shade=gain.value / FULL_SHADE,
            bold=is_sure(gain),
            framed=self.is_held_in(arm, column),
            link=conversation_anchor(arm, column),
        )


def is_sure(gain: Estimate) -> bool:
    """Return whether *gain*, adjusted by Holm, is below 0.05 and covers the noise of training."""
    return gain.p < 0.05 and gain.is_sure


def conversation_anchor(arm: str, column: str) -> str:
    """Return the anchor of the conversations of *arm* on *column*."""
    return f"talk-{arm}-{label(column)}"


def difference_forest(rows: Sequence[tuple[str, Estimate]], caption: str) -> Block:
    """Return differences below each other, on a scale around zero that holds all of them."""
    if not rows:
        return Text("")
    reach = max(0.05, *(abs(end) for _, e in rows for end in (e.low, e.high)))
    covered = all(estimate.covers_training for _, estimate in rows)
    return Forest(rows, caption, -reach, reach, bold=covered)
