"""The gate's verdict as a page of Markdown, for interfaces that show no HTML beside a task."""

from lookalike.evaluation.gate import Promotion


def verdict_markdown(promotion: Promotion, fingerprint: str, others: dict[str, str]) -> str:
    """Promoted or held, and every rule in words, the broken ones first as the gate orders them."""
    said = "Promoted" if promotion.promote else "Held back"
    compared = "".join(f", {name} `{other[:12]}`" for name, other in others.items())
    rules = "\n".join(f"- {_escaped(reason)}" for reason in promotion.reasons)
    return f"# {said}\n\nChallenger `{fingerprint[:12]}`{compared}.\n\n{rules}\n"


def _escaped(reason: str) -> str:
    """Names of values come from the catalogue."""
    return reason.replace("<", "&lt;").replace("[", "\\[").replace("`", "'").replace("\n", " ")
