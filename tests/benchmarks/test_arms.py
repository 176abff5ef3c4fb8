"""What the arms have in common, and what is asked of the base recipe."""

import pytest

from benchmarks.embedding.arms import ARMS, MAIN, MULTI, ORDER, RATES, RIVALS, SINGLE
from benchmarks.embedding.settings import Experiment
from lookalike.config import parse_config
from lookalike.errors import ConfigError

BATCH = {"triplets_per_batch", "anchors_per_epoch", "twins"}
"""How a batch is made up of triplets and twins; its photos are as many in all."""

OWN = {"tasks", "label_ranking", "loss_weighting", "epochs", "learning_rate", *BATCH}
"""Settings of a recipe in which arms may differ."""


def test_arms_differ_in_nothing_but_their_tasks() -> None:
    base = ARMS[MAIN].recipe(Experiment(), seed=1).model_dump(exclude=OWN)
    assert all(arm.recipe(Experiment(), seed=1).model_dump(exclude=OWN) == base for arm in ARMS.values())


def test_arms_learn_at_a_rate_that_was_tried() -> None:
    assert {arm.learning_rate for arm in ARMS.values()} <= set(RATES)


def test_every_arm_sees_the_same_number_of_photos() -> None:
    settings = Experiment(photos=7_680)
    for arm in ARMS.values():
        recipe = arm.recipe(settings, seed=0)
        twins = recipe.twins.count if recipe.tasks.instance else 0
        assert 3 * recipe.triplets_per_batch + twins == 96
        assert recipe.anchors_per_epoch is not None
        steps = recipe.epochs * recipe.anchors_per_epoch / recipe.triplets_per_batch
        assert steps * 96 * (2 if arm.hard else 1) == 7_680


def test_single_arms_have_one_task_and_multi_arms_several() -> None:
    for arms, several in ((SINGLE + RIVALS, False), (MULTI, True)):
        for arm in arms:
            tasks = [name for name, weight in arm.tasks.model_dump().items() if weight and name != "kl"]
            assert (len(tasks) > 1) == several, arm.name


def test_the_arms_that_answer_the_questions_run_first() -> None:
    assert list(ARMS)[: len(ORDER)] == list(ORDER)


def test_a_budget_that_leaves_a_batch_half_full_is_refused() -> None:
    with pytest.raises(ConfigError, match="photos is 1000; a multiple of 384"):
        parse_config_of(photos=1000)


def parse_config_of(**values: int) -> Experiment:
    return parse_config(Experiment, values, "experiment")
