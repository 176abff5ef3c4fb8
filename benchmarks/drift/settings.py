"""What the study measures, and how much of it."""

from pydantic import Field

from lookalike.config import StrictConfig


class Study(StrictConfig):
    """The same for every step; `--quick` has its own."""

    reference: int = Field(default=3_500, ge=100)
    """Rows of a release's reference: 1,500 of the evaluation and 2,000 of early traffic, as shipped."""
    sizes: tuple[int, ...] = (200, 500, 1_000, 2_000, 5_000)
    """Queries per window where false alarms are counted."""
    clean_windows: int = Field(default=90, ge=4)
    """Windows without drift of every size, each against a reference of its own."""
    window: int = Field(default=1_000, ge=40)
    """Queries per window where power and delay are measured."""
    trials: int = Field(default=100, ge=4)
    """References against which every shift is tried once."""
    evidently_trials: int = Field(default=50, ge=4)
    """Of them, those that Evidently's methods score too."""
    episodes: int = Field(default=40, ge=2)
    """References for which the days after a shift are lived through."""
    days: int = Field(default=12, ge=4)
    """Windows after the shift begins."""
    ramp: int = Field(default=10, ge=2)
    """Windows over which a gradual shift grows to the size of the sudden one."""
    share: float = Field(default=0.1, gt=0, lt=1)
    """Share of traffic that the unseen type makes up."""
    type_rows: int = Field(default=100, ge=4)
    """Products a type needs to play the unseen one."""
    shared_references: int = Field(default=20, ge=2)
    """References that many windows without drift share, as in service."""
    shared_windows: int = Field(default=20, ge=2)
    """Windows of each."""
    lives: int = Field(default=160, ge=2)
    """Releases that live through windows without drift, for the years."""
    lived_windows: int = Field(default=30, ge=4)
    """Windows of each."""
    none_references: int = Field(default=20, ge=2)
    """Releases of the drill without a shift."""
    none_windows: int = Field(default=50, ge=2)
    """Daily windows of each; fewer than a model may be old in days."""
    draws: int = Field(default=999, ge=99)
    """Random cuts behind every calibration, as shipped."""
    years: int = Field(default=1_000, ge=2)
    """Years of daily windows without drift that are put through the decision."""
    gate_seeds: int = Field(default=2, ge=1)
    """Seeds of noise, traffic and resamples for the planted challengers."""
    gate_products: int = Field(default=3_000, ge=100)
    """Products of the test split on which the gate compares planted challengers."""
    fresh_products: int = Field(default=1_000, ge=100)
    """The same for the fresh cases, and as many of the validation split for what the gate does not see."""
    train_steps: int = Field(default=40, ge=1)
    """Batches of further training that spoil a challenger."""
    poison_seeds: int = Field(default=5, ge=1)
    """Seeds of every attack on the linear stand-in for training."""
    poison_strengths: tuple[float, ...] = (0.1, 0.5, 2.0)
    """Answers an attacker asks for, in answers of honest shoppers; of a flood, delivered copies in products."""
    poison_products: int = Field(default=3_000, ge=100)
    """Products of the train split that teach."""
    trained_seeds: int = Field(default=2, ge=1)
    """Seeds of every attack on real training."""
    trained_products: int = Field(default=1_000, ge=100)
    """Products of the train split that teach there, and as many of each other split."""
    trained_steps: int = Field(default=30, ge=1)
    """Batches of every poisoned training."""
    seed: int = 0
    """Every draw of references, windows and shifts."""


QUICK = Study(
    reference=300,
    sizes=(60, 200),
    clean_windows=6,
    window=120,
    trials=6,
    evidently_trials=4,
    episodes=3,
    days=5,
    ramp=4,
    type_rows=12,
    shared_references=3,
    shared_windows=4,
    lives=3,
    lived_windows=5,
    none_references=2,
    none_windows=6,
    draws=199,
    years=20,
    gate_seeds=1,
    gate_products=400,
    fresh_products=400,
    train_steps=2,
    poison_seeds=1,
    poison_strengths=(0.5,),
    poison_products=400,
    trained_seeds=1,
    trained_products=300,
    trained_steps=2,
)
"""Does every part of the study still work?"""
