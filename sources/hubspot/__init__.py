"""HubSpot (CRM and marketing): contacts, companies, deals with history, line items, engagements, forms, owners, pipelines."""
