"""What a search structure weighs per photo, by formula; benchmarks hold it to files and to a process's memory."""

from lookalike.index.faiss_settings import BinarySettings, HnswSettings, StructureSettings

FLOAT = 4
IVF_ID = 8
LINK = 4
LEVEL_ENDS = 12
"""Per photo where its links begin, and how many layers it is on."""


def structure_bytes(structure: StructureSettings, dimension: int) -> float:
    """Bytes of a search structure per photo; what does not grow with the photos is left out."""
    match structure:
        case HnswSettings(m=m):
            return FLOAT * dimension + LINK * (2 * m + m / (m - 1)) + LEVEL_ENDS
        case BinarySettings(bits=bits):
            return bits / 8
    if structure.kind == "ivf_pq":
        return (structure.subvectors or dimension // 2) / 2 + IVF_ID
    return FLOAT * dimension  # flat: a copy of the vectors
