"""eSales Manager (Softbrain), an SFA from Japan: its CSV exports (CP932), read by `sources/files` with the mapping beside this file.

Data only. Its REST API would come here as a second way of the same records; until then nothing in this folder speaks HTTP.
"""

from dataclasses import replace
from pathlib import Path

from sources.files import file_vendor

MAPPING = Path(__file__).with_name("mapping.yaml")

CP932 = "Its exports are CP932, which has no such characters: each is a question mark in the file already."

_FILES = file_vendor(
    "esales",
    "eSales Manager",
    mapping=MAPPING,
    documentation="https://esm-developers.softbrain.com/esm-api/common/common_spec.html",
)
VENDOR = replace(_FILES, cannot={**_FILES.cannot, "text: emoji": CP932, "text: 4-byte kanji": CP932})
