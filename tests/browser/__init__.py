"""Tests that see the line's pages as a visitor does, in a real browser."""
