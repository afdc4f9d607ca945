"""The synthetic company with known truth. Nothing here may import a vendor's code; the server finds sandboxes by folder."""
