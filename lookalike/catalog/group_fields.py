"""The fields that say which item and which design a stored photo belongs to; serving needs only their names."""

ITEM, DESIGN = "item_group", "design_group"
GROUPS = (ITEM, DESIGN)
"""From narrow to wide; products of one item are always of one design."""
