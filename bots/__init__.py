"""Thin adapters that carry requests to core and replies back, and the program around them."""
