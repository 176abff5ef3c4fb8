"""The fields a stored photo has beside its product's attributes; serving needs only their names."""

ITEM, DESIGN = "item_group", "design_group"
GROUPS = (ITEM, DESIGN)
"""Which item and which design, from narrow to wide; products of one item are always of one design."""
COLOURS = "colour_histogram"
"""The photo's colours, as `histogram_text` writes them."""
HIDDEN = (*GROUPS, COLOURS)
"""What is stored for searching and means nothing to a shopper: no filter and no part of an answer."""
