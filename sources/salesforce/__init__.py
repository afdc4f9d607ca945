"""Salesforce as a vendor of tsunagu: which objects are read, how changes and deletions are seen, how to sign in.

Data only. What goes over the wire is in `api.py`; nothing here opens a connection or reads the environment.
"""

from sources.salesforce.streams import STREAMS

__all__ = ["STREAMS"]
