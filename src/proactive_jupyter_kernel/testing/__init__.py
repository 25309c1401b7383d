"""Test doubles for code that uses a scheduler."""
