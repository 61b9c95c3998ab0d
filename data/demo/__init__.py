"""Northstar Trading 北辰贸易: a company that does not exist, as its systems see it."""
