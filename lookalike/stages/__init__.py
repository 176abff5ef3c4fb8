"""The flow's verbs over plain paths and settings: what the command line and the pipeline components call.

Every function takes paths as text and `settings` by stage name, imports only the rooms it needs, and
returns the stage's record.
"""

from lookalike.stages.arguments import NONE, Settings, collections_at, settings_by_task, settings_for
from lookalike.stages.catalogue import (
    draw,
    note_delivery,
    require_catalogue,
    split,
    validate,
    validate_delivery,
    with_erasures,
)
from lookalike.stages.collection import embed_shard, index, plan_shards, select_index
from lookalike.stages.in_service import (
    end_trial,
    erase,
    features,
    live_model,
    prune,
    refill_features,
    release,
    rollback,
    start_trial,
    update,
    way_back,
)
from lookalike.stages.model import champion, embed_products, evaluate, export, mine, promotion, read_recipe, train
from lookalike.stages.shoppers import collect_feedback, keep_feedback, kept_feedback
from lookalike.stages.trust import require_no_pickles, sign, verifier, verify

__all__ = [
    "NONE",
    "Settings",
    "champion",
    "collect_feedback",
    "collections_at",
    "draw",
    "embed_products",
    "embed_shard",
    "end_trial",
    "erase",
    "evaluate",
    "export",
    "features",
    "index",
    "keep_feedback",
    "kept_feedback",
    "live_model",
    "mine",
    "note_delivery",
    "plan_shards",
    "promotion",
    "prune",
    "read_recipe",
    "refill_features",
    "release",
    "require_catalogue",
    "require_no_pickles",
    "rollback",
    "select_index",
    "settings_by_task",
    "settings_for",
    "sign",
    "split",
    "start_trial",
    "train",
    "update",
    "validate",
    "validate_delivery",
    "verifier",
    "verify",
    "way_back",
    "with_erasures",
]
