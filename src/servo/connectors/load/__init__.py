"""Loads an application with HTTP requests and measures how it answers."""
