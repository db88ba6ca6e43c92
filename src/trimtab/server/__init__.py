"""The HTTP application: one router per API."""
