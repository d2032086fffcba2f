"""Use case: who has access to what, over a whole registry."""
