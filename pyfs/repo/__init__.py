"""A remote as branches, commits and tables."""
