"""Test functions, random functions and games with exact solutions."""
