"""Connectors that come with the agent."""
