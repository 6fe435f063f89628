"""Stores that are reached by a URL: how a run's files are sent there, made sure of, and read from there."""
