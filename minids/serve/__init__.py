"""Talking to a model: `minids chat`, in the terminal."""
