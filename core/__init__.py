"""Topic-neutral engine: curated entries in, one honest answer out; knows no platform."""
