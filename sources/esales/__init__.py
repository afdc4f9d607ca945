"""eSales Manager (Softbrain), an SFA from Japan: its CSV exports (CP932), read by `sources/files` with the mapping beside this file.

Data only. Its REST API would come here as a second way of the same records; until then nothing in this folder speaks HTTP.
"""

from pathlib import Path

from sources.files import file_vendor

MAPPING = Path(__file__).with_name("mapping.yaml")

VENDOR = file_vendor(
    "esales",
    "eSales Manager",
    mapping=MAPPING,
    documentation="https://esm-developers.softbrain.com/esm-api/common/common_spec.html",
)
