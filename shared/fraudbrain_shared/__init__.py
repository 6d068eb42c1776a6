"""Contracts and the pure core: what every tier agrees on."""
