"""Sokoban as text."""
