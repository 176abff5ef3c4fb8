"""What stands on `drift.html`: the timeline, the histogram, new queries beside what the model was trained on."""
