"""KFP skins of the stages: each component imports, calls once and returns. No logic lives here."""
