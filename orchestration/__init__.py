"""The only room that knows all others: syncs, models, identity, publishing, jobs and the command line."""
